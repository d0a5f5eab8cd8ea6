SELECT seq, xid::text::bigint, extract(epoch FROM at)::float8, relation, op, old::text, new::text FROM audit.entries ORDER BY seq
