SELECT EXISTS (SELECT FROM feed.log AS l WHERE l.relation = 'opportunities' AND l.key = %(id)s::text)
