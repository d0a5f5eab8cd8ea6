"""The tables, as SQLAlchemy sees them. A test holds them against the migrated catalogue.

Ids are text, as in the systems this extends. Rows of `opportunities` are read as JSON made by PostgreSQL
(``to_jsonb``), so an adopted table's own columns travel too; the model names only the columns that boardcast needs.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Interval,
    MetaData,
    Numeric,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, JSONB, REGCLASS
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import UserDefinedType


class Base(DeclarativeBase):
    metadata = MetaData()


class XID8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


_NOW = text("now()")

users = Table(
    "users",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
)

boards = Table(
    "boards",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("phases", JSONB, nullable=False, comment='The columns of the board, in order: [{"id": …, "name": …}]'),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    comment="A sales pipeline.",
)

board_members = Table(
    "board_members",
    Base.metadata,
    Column("board_id", ForeignKey("boards.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "role", Text, CheckConstraint("role IN ('viewer', 'editor', 'admin')", "board_members_role"), nullable=False
    ),
    Index("board_members_user_id", "user_id"),
    comment="Who sees which board. A change takes effect on open connections, at its place in the log.",
)

opportunities = Table(
    "opportunities",
    Base.metadata,
    Column("id", Text, primary_key=True, server_default=text("(gen_random_uuid())::text")),
    Column("board_id", ForeignKey("boards.id", ondelete="CASCADE"), nullable=False, server_default="main"),
    Column("title", Text, nullable=False, server_default=""),
    Column("company", Text),
    Column("contact", Text),
    Column("value", Numeric(14, 2)),
    Column("currency", Text, nullable=False, server_default="BRL"),
    Column("phase", Text, nullable=False, server_default=""),
    Column("position", Text, nullable=False, server_default="a0"),  # order in its phase: a fractional index key
    Column("owner_id", Text),
    Column("probability", Integer),
    Column("expected_close_date", Date),
    Column("notes", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("version_number", Integer, nullable=False, server_default="1"),
    Column("last_modified_by", Text),
    Column("last_sync_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Index("feed_opportunities_board_id", "board_id"),
)

user_presence = Table(
    "user_presence",
    Base.metadata,
    Column("id", Text, primary_key=True, server_default=text("(gen_random_uuid())::text")),
    Column("user_id", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("opportunity_id", Text),
    Column("board_id", Text),
    Column("action", Text, CheckConstraint("action IN ('editing', 'viewing')", "user_presence_action"), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("last_activity", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("connection", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("base_version", Integer),
    CheckConstraint("num_nonnulls(opportunity_id, board_id) = 1", "user_presence_place"),
    CheckConstraint("action = 'viewing' OR opportunity_id IS NOT NULL", "user_presence_edits"),
    Index("user_presence_opportunity_id", "opportunity_id"),
    Index("user_presence_user_id", "user_id"),
    comment="Who has which opportunity open, or looks at which board and at none of its opportunities: leases, "
    "renewed by the service that holds the connection.",
    prefixes=["UNLOGGED"],
)

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

Sequence("pulse", schema="feed", start=0, minvalue=0, metadata=Base.metadata)

pacer = Table(
    "pacer",
    Base.metadata,
    Column(
        "one",
        Boolean,
        CheckConstraint("one", "pacer_one"),
        primary_key=True,
        server_default=text("true"),
        comment="There is one row",
    ),
    Column(
        "instance",
        Text,
        nullable=False,
        server_default="",
        comment="Who holds the lease; as /readyz names it. Empty when it was given back",
    ),
    Column("pid", Integer, comment="Backend process of its connection"),
    Column(
        "until",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="When the lease runs out: then there is no pacer, and every write rings",
    ),
    Column(
        "mode",
        Text,
        nullable=False,
        server_default="calm",
        comment="calm: writers ring; busy, tick: the pacer rings; "
        "calming: writers ring, and the pacer waits for those that did not; silent: nobody rings",
    ),
    Column(
        "rung",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="How often pacers have rung, since the installation",
    ),
    Column(
        "since",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="When this mode, or this lease, began",
    ),
    Column(
        "silent",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="The bell is switched off, see feed.set_bell: in this row, since the pulse is moved under its lock alone",
    ),
    schema="feed",
    comment="Which instance rings the doorbell in place of the writers when they are many. One row: a lease.",
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

flags = Table(
    "flags",
    Base.metadata,
    Column(
        "flag",
        Text,
        CheckConstraint("flag IN ('realtime', 'bell', 'capture')", "flags_flag"),
        primary_key=True,
        comment="realtime: the best way that users are offered; bell: writers do not NOTIFY; "
        "capture: writes are not logged",
    ),
    Column(
        "scope",
        Text,
        CheckConstraint("scope IN ('everybody', 'share', 'user')", "flags_scope"),
        primary_key=True,
        comment="For whom: user goes before share, and that before everybody",
    ),
    Column("user_id", Text, primary_key=True, server_default="", comment="Of scope user: whose; else empty"),
    Column(
        "share",
        Integer,
        comment="Of scope share: per cent of the users, those whose feed.user_place is below it",
    ),
    Column("value", Text, nullable=False, comment="Of realtime: websocket, sse, poll or off; of a switch: off"),
    Column(
        "kept",
        JSONB,
        comment="Of capture: by table, the triggers that were ENABLE ALWAYS, and will be again",
    ),
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="When it was decided",
    ),
    Column("who", Text, nullable=False, server_default=text("session_user"), comment="session_user of who did it"),
    CheckConstraint("(scope = 'user') = (user_id <> '')", "flags_user"),
    CheckConstraint(
        "CASE WHEN scope = 'share' THEN share IS NOT NULL AND share BETWEEN 0 AND 100 ELSE share IS NULL END",
        "flags_share",
    ),
    CheckConstraint(
        "CASE WHEN flag = 'realtime' THEN value IN ('websocket', 'sse', 'poll', 'off') "
        "ELSE value = 'off' AND scope = 'everybody' END",
        "flags_value",
    ),
    schema="feed",
    comment="What was decided by hand: how users get what is new, and switches that are thrown. No row: websocket for all, "
    "and all is on. Fed, so that a change is told to every instance in its place, and is in feed.log. "
    "bell and capture by feed.set_bell and feed.set_capture alone.",
)

instances = Table(
    "instances",
    Base.metadata,
    Column("instance", Text, primary_key=True, comment="As /readyz names it"),
    Column(
        "service",
        Text,
        nullable=False,
        comment="feed, or api: that has a feed of its own, for /api/events and its cache",
    ),
    Column("started", DateTime(timezone=True), nullable=False, comment="When it began to follow the log"),
    Column(
        "beat",
        DateTime(timezone=True),
        nullable=False,
        comment="When it said all this; it is given up after ten seconds of silence, and forgotten after five minutes",
    ),
    Column(
        "swept",
        DateTime(timezone=True),
        comment="When it had last read the log to its end; null before the first time",
    ),
    Column("sweeps", BigInteger, nullable=False, comment="How often it has read the log"),
    Column("cursor", Text, nullable=False, comment="What it had told its clients: all that this cursor has seen"),
    Column("anchor", BigInteger, nullable=False, comment="The newest row of the log that the cursor has seen"),
    Column("connections", Integer, nullable=False, comment="Open streams"),
    Column("listens", Boolean, nullable=False, comment="Whether its LISTEN connection has heard itself"),
    Column("ready", Boolean, nullable=False, comment="Whether a client should be sent there"),
    Column("tailer_pid", Integer, comment="The backend that it reads the log with; null while it has none"),
    Column("listener_pid", Integer, comment="The backend that LISTENs for it; null while it has none"),
    Column(
        "acks",
        JSONB,
        nullable=False,
        comment="The cursors that its clients have shown, with how many of them and how many seconds before the beat. "
        "See feed.acks",
    ),
    Column(
        "replica",
        Text,
        comment="Whether it reads the log on its replica (used), or why on the primary: lagging, away, promoted, foreign. "
        "Null: it has none, or has not looked yet",
    ),
    prefixes=["UNLOGGED"],
    schema="feed",
    comment="The services that run, each by itself: a row that is renewed every two seconds and taken away at the end. "
    "See feed.listeners.",
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

sweeps = Table(
    "sweeps",
    Base.metadata,
    Column("instance", Text, nullable=False, comment="As /readyz names it"),
    Column(
        "read",
        DateTime(timezone=True),
        nullable=False,
        comment="When it had the rows; of several sweeps, those of the first",
    ),
    Column(
        "told",
        DateTime(timezone=True),
        nullable=False,
        comment="When all clients that were live had been written to; of several sweeps, by the last",
    ),
    Column("since", Text, nullable=False, comment="What had been told before: all that this cursor has seen"),
    Column("cursor", Text, nullable=False, comment="What had been told then: all that this cursor has seen"),
    Column("sweeps", Integer, nullable=False, comment="How many sweeps this row stands for"),
    Column("events", Integer, nullable=False, comment="What they found"),
    Column("deliveries", BigInteger, nullable=False, comment="Events written to live clients: one for each of them"),
    Column("clients", Integer, nullable=False, comment="Open streams at the end, with those that were being caught up"),
    Column(
        "late",
        Integer,
        nullable=False,
        comment="Clients that had too much unread to take it: told again from the log, when they have read",
    ),
    Column(
        "boards",
        JSONB,
        comment="How many live clients were told of each board; null where there were too many boards",
    ),
    Index("sweeps_told", "told"),
    prefixes=["UNLOGGED"],
    schema="feed",
    comment="When each service has told what: a row for a sweep that found something, or for some of them where they are "
    "many. Kept for an hour. See feed.explain.",
)

gap_reports = Table(
    "gap_reports",
    Base.metadata,
    Column(
        "at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("clock_timestamp()"),
        comment="When it was reported",
    ),
    Column("instance", Text, nullable=False, comment="The service that took the report, as /readyz names it"),
    Column(
        "user_id",
        Text,
        comment="Whose client; null where the service itself found the table to be another than the log had told",
    ),
    Column(
        "connection", Text, comment="The client's stream, as its auth_success named it; null where that was not told"
    ),
    Column("board", Text, nullable=False, comment="Whose opportunities they are"),
    Column("cursor", Text, nullable=False, comment="Where the checkpoint was made"),
    Column(
        "expected_count",
        BigInteger,
        nullable=False,
        comment="Rows, as the checkpoint said; of the service itself: as the table has them",
    ),
    Column("expected_hash", Text, nullable=False, comment="Their hash; see feed.row_hash"),
    Column(
        "held_count",
        BigInteger,
        nullable=False,
        comment="Rows that the client had; of the service itself: as the log had told them",
    ),
    Column("held_hash", Text, nullable=False, comment="Their hash"),
    Column(
        "cause",
        Text,
        nullable=False,
        comment="As far as could be worked out: unlogged, delivery, feed or cursor; feed.gaps says what that means",
    ),
    Column(
        "cards",
        ARRAY(Text),
        nullable=False,
        comment="Opportunities of the board, at most ten, whose version is not that of the log's newest row for them",
    ),
    Index("gap_reports_at", "at"),
    schema="feed",
    comment="Checkpoints that did not agree, as feed.gaps tells them. Kept as long as the log.",
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

tickets = Table(
    "tickets",
    Base.metadata,
    Column("hash", Text, primary_key=True, comment="SHA-256 of the ticket"),
    Column("user_id", Text, nullable=False, comment="Whose it is"),
    Column("name", Text, nullable=False, comment="His name"),
    Column("roles", JSONB, nullable=False, comment="What his token carries: dba"),
    Column(
        "session_expires", DateTime(timezone=True), nullable=False, comment="When the token it was made from expires"
    ),
    Column("expires", DateTime(timezone=True), nullable=False, comment="When the ticket does"),
    prefixes=["UNLOGGED"],
    schema="feed",
    comment="Single-use tickets for EventSource, which cannot send a header.",
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
