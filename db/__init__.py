"""What the database knows: its settings, its SQL, its server, the log of changes, and the commands on each noun.

Each package and module says in its docstring what it does. A module imports only from the lines below its own:

    board_changes, demo, doctor,                  built from several of the modules below
    migration_check, restore, schema_repair
    boards, dba, flags, gap_reports, instances,   one noun each: the functions that read and write its rows
    members, notifications, opportunities, pacer,
    presence, privileges, tickets, users,
    versions
    changelog, opportunity_details                the only readers of feed.log; what boards know of cards
    marked_values                                 values of an image that JSON cannot hold
    embedded, engine, logging_config, migrate,    the server, the API's pool, the services' own log, the schema,
    opportunity_table                             the application's table
    catalog, readiness                            the schema as it should be, and whether it can be used
    connection, fractional_index, migrations,     what all of them use
    models, settings
    session                                       the settings of every session
    sql, sqlfiles                                 SQL, by file

It imports nothing else of boardcast. What feed/ uses does not import SQLAlchemy.

Invariant: an import-linter contract in pyproject.toml enforces this order, and a new module must be added to it.
"""
