"""The log, and what is known of it: how long it is kept, whose cursors are good, which tables are fed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Interval,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB, REGCLASS

from db.models.base import XID8, Base

log_seq = Sequence("log_seq", schema="feed", cache=1, metadata=Base.metadata)

Sequence("era", schema="feed", cache=1, metadata=Base.metadata)
Sequence("era_xid", schema="feed", start=0, minvalue=0, cache=1, metadata=Base.metadata)

# Of the default in db/sql/tables/feed.sql, as PostgreSQL writes it.
_SAID = "current_setting('feed.traceparent'::text, true)"
_TRACEPARENT = f"""
CASE
    WHEN ({_SAID} ~~ '__-{"_" * 32}-{"_" * 16}-__'::text) THEN
    CASE
        WHEN ((translate({_SAID}, '0123456789abcdef'::text, ''::text) = '---'::text) \
AND ("left"({_SAID}, 2) <> 'ff'::text) \
AND (substr({_SAID}, 4, 32) <> repeat('0'::text, 32)) \
AND (substr({_SAID}, 37, 16) <> repeat('0'::text, 16))) THEN {_SAID}
        ELSE NULL::text
    END
    ELSE NULL::text
END"""

# Its partitions, log_<era>, come and go.
log = Table(
    "log",
    Base.metadata,
    Column(
        "seq", BigInteger, primary_key=True, server_default=log_seq.next_value(), comment="Order within a transaction"
    ),
    Column("xid", XID8, nullable=False, server_default=text("pg_current_xact_id()"), comment="Top-level transaction"),
    Column(
        "at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"), comment="When written"
    ),
    Column(
        "era",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        server_default=text("pg_sequence_last_value('feed.era'::regclass)"),
        comment="The partition: feed.era as it was when the row was written",
    ),
    Column("relation", Text, nullable=False, comment="The table; schema.table outside public"),
    Column(
        "op",
        Text,
        nullable=False,
        comment="insert, update, delete, truncate; leave and enter: one UPDATE that moved the row to another board; "
        "reload: a repair of rows of which no reader would expect that version",
    ),
    Column("key", Text, comment="Primary key, as text; a JSON array of several columns"),
    Column("board", Text, comment="The board whose readers are told"),
    Column("old", JSONB, comment="The row before"),
    Column("new", JSONB, comment="The row after"),
    Column("version", Integer, comment="version_number of the row, where it has one"),
    Column(
        "parents",
        ARRAY(Integer),
        comment="feed.parents: the versions that this one was made of, where it is a merge or a restored one",
    ),
    Column("actor", Text, nullable=False, comment="feed.actor, else last_modified_by, else the database user"),
    Column("origin", Text, comment="feed.origin: the request or the client's mutation that made the write"),
    Column(
        "traceparent",
        Text,
        server_default=text(_TRACEPARENT),
        comment="feed.traceparent: the W3C trace context of the write, where its writer has one",
    ),
    Column("db_user", Text, nullable=False, comment="session_user"),
    Column("application", Text, comment="application_name"),
    Column("client_addr", INET, comment="Null over a Unix socket"),
    Column("pid", Integer, nullable=False, comment="Backend process"),
    Column("rang", Boolean, nullable=False, server_default=text("true"), comment="Whether the write rang the doorbell"),
    Index("log_xid", "xid", "era"),
    Index("log_key", "relation", "key", "seq"),
    postgresql_partition_by="RANGE (era)",
    schema="feed",
    comment="Every change of a fed table, in the transaction that made it. Append-only.",
)

keeper = Table(
    "keeper",
    Base.metadata,
    Column(
        "one",
        Boolean,
        CheckConstraint("one", "keeper_one"),
        primary_key=True,
        server_default=text("true"),
        comment="There is one row",
    ),
    Column(
        "retention",
        Interval,
        nullable=False,
        server_default="90 days",
        comment="Older partitions of feed.log are dropped, by whatever service runs",
    ),
    Column(
        "turned",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="When the era began",
    ),
    schema="feed",
    comment="How long the log is kept. One row; who keeps the log holds its lock.",
)

identity = Table(
    "identity",
    Base.metadata,
    Column(
        "one",
        Boolean,
        CheckConstraint("one", "identity_one"),
        primary_key=True,
        server_default=text("true"),
        comment="There is one row",
    ),
    Column("feed_id", Text, nullable=False, comment="First part of every cursor"),
    Column("system_identifier", Text, nullable=False, comment="The cluster that it was made on"),
    Column("timeline", Text, nullable=False, comment="The timeline of that, as the names of WAL files begin"),
    Column(
        "renewed_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="When the id was made",
    ),
    Column(
        "reason",
        Text,
        nullable=False,
        comment="Why: install, another cluster, promotion, or what boardcast reset-feed was told",
    ),
    Column("floor_seq", BigInteger, nullable=False, server_default="0", comment="The log up to here has been pruned"),
    Column("floor_xid", XID8, nullable=False, server_default=text("'0'"), comment="The largest xid among the pruned"),
    Column(
        "first_era",
        BigInteger,
        nullable=False,
        server_default="1",
        comment="Earlier eras were written in another cluster: their xids mean nothing here",
    ),
    Column(
        "first_xid",
        XID8,
        nullable=False,
        server_default=text("'0'"),
        comment="Where this cluster stood when the first era began",
    ),
    schema="feed",
    comment="What the cursors of this feed must agree with. One row.",
)

attached = Table(
    "attached",
    Base.metadata,
    Column("relation", REGCLASS, primary_key=True, comment="The table"),
    Column(
        "xid",
        XID8,
        nullable=False,
        server_default=text("pg_current_xact_id()"),
        comment="The newest transaction that may have written to it before; mostly the one that put the feed on it",
    ),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="When that was",
    ),
    Column("who", Text, nullable=False, server_default=text("SESSION_USER"), comment="session_user of who did it"),
    schema="feed",
    comment="Since when each table is fed: what was written before is in no log, and need not be.",
)

adopted = Table(
    "adopted",
    Base.metadata,
    Column("relation", Text, primary_key=True, comment="The table"),
    Column(
        "added", JSONB, nullable=False, comment="Columns that the installation added, and a removal takes away again"
    ),
    schema="feed",
    comment="Tables that were there before boardcast.",
)
