CREATE TABLE feed.flags (
    flag text NOT NULL CONSTRAINT flags_flag CHECK (flag IN ('realtime', 'bell', 'capture')),
    scope text NOT NULL CONSTRAINT flags_scope CHECK (scope IN ('everybody', 'share', 'user')),
    user_id text NOT NULL DEFAULT '',
    share integer,
    value text NOT NULL,
    kept jsonb,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL DEFAULT session_user,
    PRIMARY KEY (flag, scope, user_id),
    CONSTRAINT flags_user CHECK ((scope = 'user') = (user_id <> '')),
    CONSTRAINT flags_share CHECK (CASE WHEN scope = 'share' THEN share IS NOT NULL AND share BETWEEN 0 AND 100 ELSE share IS NULL END),
    CONSTRAINT flags_value CHECK (CASE WHEN flag = 'realtime' THEN value IN ('websocket', 'sse', 'poll', 'off')
                                       ELSE value = 'off' AND scope = 'everybody' END)
);
COMMENT ON TABLE feed.flags IS
    'What was decided by hand: how users get what is new, and switches that are thrown. No row: websocket for all, and all is on. Fed, so that a change is told to every instance in its place, and is in feed.log. bell and capture by feed.set_bell and feed.set_capture alone.';
COMMENT ON COLUMN feed.flags.flag IS 'realtime: the best way that users are offered; bell: writers do not NOTIFY; capture: writes are not logged';
COMMENT ON COLUMN feed.flags.scope IS 'For whom: user goes before share, and that before everybody';
COMMENT ON COLUMN feed.flags.user_id IS 'Of scope user: whose; else empty';
COMMENT ON COLUMN feed.flags.share IS 'Of scope share: per cent of the users, those whose feed.user_place is below it';
COMMENT ON COLUMN feed.flags.value IS 'Of realtime: websocket, sse, poll or off; of a switch: off';
COMMENT ON COLUMN feed.flags.kept IS 'Of capture: by table, the triggers that were ENABLE ALWAYS, and will be again';
COMMENT ON COLUMN feed.flags.at IS 'When it was decided';
COMMENT ON COLUMN feed.flags.who IS 'session_user of who did it';
