"""What the database knows: its settings, its SQL, its server, the log of changes, and the commands on each noun.

Each package and module says in its docstring what it does. A module imports only from the lines below its own:

    demo, doctor, restore                         each made of several of those below
    boards, dba, flags, gap_reports, instances,   one noun each: the functions that read and write its rows
    notifications, opportunities, pacer,
    presence, privileges, tickets, users,
    versions
    changelog                                     the only readers of feed.log
    embedded, engine, logging_config, migrate     the server, the API's pool, the services' own log, the schema
    connection, fractional_index, migrations,     what all of them stand on
    models, settings, sql, sqlfiles

It imports nothing else of boardcast. What feed/ uses does not import SQLAlchemy.

Invariant: an import-linter contract in pyproject.toml holds this order, and a new module must be given its line there.
"""
