SELECT feed.note_closings(%(ids)s::text[])
