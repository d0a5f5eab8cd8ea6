"""All SQL, one object or query in each file; `db.sqlfiles.sql` reads them.

`tables`, `functions`, `views`, `triggers`, and `grants` describe the newest schema; migrations install their own copies of them.
`queries` are what the services run. It holds no Python.

Invariant: every file is ASCII, so that it can be installed in a database of any encoding.
"""
