SELECT finding, key, seq, NULL::integer AS logged, NULL::integer AS found, columns FROM feed.verify_order() ORDER BY seq
