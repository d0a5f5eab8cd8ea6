-- For the session that does the rest of a migration, one transaction a statement. Settings that the server does not have are left out.
SELECT set_config(s.key, s.value, false) FROM jsonb_each_text(%(settings)s) AS s JOIN pg_settings AS p ON p.name = s.key
