"""What the services keep: the pacer's lease, the flags, who runs and what he told, what went wrong, tickets."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.models.base import Base

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
