-- The doorbell, in place of all who did not ring. The payload is for people; no reader trusts it.
SELECT pg_notify('boardcast', json_build_object('seq', %(seq)s::bigint, 'pacer', %(instance)s::text)::text)
