"""The command line.

`cli/commands` holds one file per command, and `boardcast.py` lists the commands. The other modules are shared by commands. A module
imports only from the lines below its own, never from its neighbors:

    commands                                        one file per command; no command imports another
    follow, checks, services                        `log --follow`, the checks of `doctor`, what `up`, `feed` and `api` share
    formatting, log_query, probe, reconnect,        what these use
    schema, seals, stdout
    connect, output, times                          the database, what is printed, times given as arguments
    failures                                        exit statuses and error messages

Invariant: import-linter contracts in pyproject.toml enforce this order, and a new module must be added to them.
"""
