SELECT seq, xid::text::bigint, extract(epoch FROM at)::float8, relation, op, part, key, board, version, actor, origin FROM audit.log ORDER BY seq
