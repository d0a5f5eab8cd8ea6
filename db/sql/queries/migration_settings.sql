-- For the transaction of a migration. Settings that the server does not have are left out.
SELECT set_config(s.key, s.value, true) FROM jsonb_each_text(%(settings)s) AS s JOIN pg_settings AS p ON p.name = s.key
