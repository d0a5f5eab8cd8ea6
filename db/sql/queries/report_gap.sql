SELECT feed.report_gap(%(instance)s, %(user_id)s, %(connection)s, %(board)s, %(cursor)s,
                       %(expected_count)s, %(expected_hash)s, %(held_count)s, %(held_hash)s)
