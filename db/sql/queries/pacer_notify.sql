-- NOTIFY on behalf of all writers that skipped it. The payload is informational only; readers do not use it.
SELECT pg_notify('boardcast', json_build_object('seq', %(seq)s::bigint, 'pacer', %(instance)s::text)::text)
