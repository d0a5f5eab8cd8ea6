SELECT o.id, o.version_number, o.body::text, pg_current_xact_id()::text FROM feed.opportunities_of(ARRAY[%(id)s::text]) AS o
