SELECT coalesce(jsonb_agg(to_jsonb(e) ORDER BY e.ordinality) , '[]')::text FROM feed.explain(%(seq)s) WITH ORDINALITY AS e
