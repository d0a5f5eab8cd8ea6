-- One change, complete.
SELECT to_jsonb(t)::text FROM feed.trigger_log AS t WHERE t.seq = %(seq)s
