-- NOTIFY on behalf of all writers that skipped it.
SELECT pg_notify('boardcast', '')
