SELECT feed.note_adoption(feed.application_table(%(table)s), %(columns)s, coalesce(feed.application_table(%(users)s), feed.users_table(), to_regclass('public.users')), %(user_columns)s)
