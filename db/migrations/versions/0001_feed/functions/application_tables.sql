CREATE FUNCTION feed.application_tables() RETURNS regclass[]
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- The table of the cards before that of the users, which it may reference: a writer locks them in this order.
    SELECT coalesce(array_agg(t.relation ORDER BY t.place, t.relation::oid), '{}')
    FROM (SELECT n.relation, min(n.place) AS place
          FROM (SELECT a.relation, CASE a.role WHEN 'opportunities' THEN 1 ELSE 3 END FROM feed.adopted AS a
                UNION ALL
                SELECT a.relation, 2 FROM feed.attached AS a
                UNION ALL
                -- Former tables of users. They are locked with the others, because a session that holds a lock must not wait for another.
                SELECT t.tgrelid, 3 FROM pg_trigger AS t WHERE t.tgfoid = to_regproc('feed.forget_users') AND t.tgparentid = 0) AS n(relation, place)
          JOIN pg_class AS c ON c.oid = n.relation
          WHERE c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')
          GROUP BY n.relation) AS t
$$;
COMMENT ON FUNCTION feed.application_tables() IS 'The tables on which boardcast has triggers, or will have. Used by feed.mend.';
