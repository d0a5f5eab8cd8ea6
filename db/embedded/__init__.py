"""The PostgreSQL that `boardcast up` and the tests start: one directory is one cluster, run by one process at a time.

`server` puts the parts together: `binaries` finds PostgreSQL's programs, `cluster` runs initdb, `account` runs programs as an
unprivileged user, `postmaster` clears up after an earlier server, `home` keeps the lock, the port, and the password, `location`
says where a cluster's directory is. It imports nothing of boardcast but `db.settings` and `db.sqlfiles`.

Invariant: whatever state the last run left behind, `start` brings the server up or raises an error that says what to do.
"""
