-- Whether schema feed has a table of ours. Its owner tells it from a table of the application that has the same name.
SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'feed' AND c.relname IN ('log', 'identity', 'attached') AND pg_get_userbyid(c.relowner) = 'feed_owner')
