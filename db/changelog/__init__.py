"""The only readers of feed.log: every query of the log of changes is here.

- `changes` reads it by cursor, for the feed; `prefetch` the same in one prepared statement; `memberships` who may see what.
- `positions` says where the log is, and whether a cursor fits it. `transactions` opens a read of several statements.
- `snapshots` and `sync` give the API the state of boards, and what changed in it, each with its position in the log.
- `entries` and `trigger_log` show it to people, `activity` counts it, `keys` looks up what happened to a row.
- `replica` says whether a standby may be read instead. `retention` drops what is old. `verify` compares tables with the log.
- `stages` copies the changes of stages to where they outlast the log, and `flow` computes from them how cards went through a board.
- `seals` proves that nobody has altered it.

It may import `db.connection`, `db.engine`, and `db.sqlfiles`. Those that feed/ uses must not import SQLAlchemy.

Invariant: no other module reads feed.log. No query selects the rows after a number, because rows get their numbers when they
are written and become visible when their transaction commits. Each read selects what one snapshot shows and an earlier one did
not.
"""
