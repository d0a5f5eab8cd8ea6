CREATE TABLE feed.seals (
    number bigint PRIMARY KEY,
    partition_number bigint NOT NULL,
    xid xid8 NOT NULL,
    part_seq bigint,
    part_end bigint,
    changes bigint NOT NULL,
    first_seq bigint,
    last_seq bigint,
    sealed_at timestamptz NOT NULL,
    rows_hash text NOT NULL,
    hash text NOT NULL
);
COMMENT ON TABLE feed.seals IS
    'Hashes of the rows of the log, which prove that nobody has altered them since (boardcast flags seal on). Each seal covers the rows that follow the previous seal, and its hash includes the previous seal''s hash. Written by feed.seal(), checked by feed.verify_seals().';
COMMENT ON COLUMN feed.seals.number IS 'Counts the seals, starting at 1';
COMMENT ON COLUMN feed.seals.partition_number IS
    'The partition that has the rows. A seal covers rows of one partition, because partitions are dropped whole.';
COMMENT ON COLUMN feed.seals.xid IS 'The last transaction of the rows: they are sealed in the order of xid, seq';
COMMENT ON COLUMN feed.seals.part_seq IS 'The last row of that transaction that is covered, if a large transaction has several seals; null: all its rows in this partition are';
COMMENT ON COLUMN feed.seals.part_end IS 'If part_seq is set: the largest sequence number of that transaction in this partition';
COMMENT ON COLUMN feed.seals.changes IS 'How many rows are sealed';
COMMENT ON COLUMN feed.seals.first_seq IS 'Smallest sequence number among them';
COMMENT ON COLUMN feed.seals.last_seq IS 'Largest sequence number among them. Rows in between may belong to a later seal, because transactions overlap.';
COMMENT ON COLUMN feed.seals.sealed_at IS 'When they were sealed';
COMMENT ON COLUMN feed.seals.rows_hash IS 'SHA-256 of the hashes of these rows, in hexadecimal; see feed.hash_changes';
COMMENT ON COLUMN feed.seals.hash IS 'SHA-256 of all other columns and of the previous seal''s hash, in hexadecimal. Store it elsewhere: it proves all rows up to here.';
