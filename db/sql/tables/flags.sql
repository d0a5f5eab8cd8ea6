CREATE TABLE feed.flags (
    flag text NOT NULL CONSTRAINT flags_flag CHECK (flag IN ('realtime', 'notify', 'capture', 'seal')),
    scope text NOT NULL CONSTRAINT flags_scope CHECK (scope IN ('everybody', 'percentage', 'user')),
    user_id text NOT NULL DEFAULT '',
    percentage integer,
    value text NOT NULL,
    always_triggers jsonb,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    set_by text NOT NULL DEFAULT session_user,
    PRIMARY KEY (flag, scope, user_id),
    CONSTRAINT flags_user CHECK ((scope = 'user') = (user_id <> '')),
    CONSTRAINT flags_percentage CHECK (CASE WHEN scope = 'percentage' THEN percentage IS NOT NULL AND percentage BETWEEN 0 AND 100 ELSE percentage IS NULL END),
    CONSTRAINT flags_value CHECK (CASE WHEN flag = 'realtime' THEN value IN ('websocket', 'sse', 'poll', 'off')
                                       ELSE value = CASE flag WHEN 'seal' THEN 'on' ELSE 'off' END AND scope = 'everybody' END)
);
COMMENT ON TABLE feed.flags IS
    'Manual settings: which transport users are offered, the switches that turn NOTIFY and capture off, and the one that turns sealing of the log on. Without a row, everybody gets websocket, NOTIFY and capture are on, and the log is not sealed. The table is attached, so every change of it is logged and reaches every instance in order. Set notify, capture and seal only with feed.set_notify, feed.set_capture and feed.set_seal.';
COMMENT ON COLUMN feed.flags.flag IS
    'realtime: the best transport that users are offered; notify: writers do not send NOTIFY; capture: writes are not logged; seal: the log is sealed (feed.seals)';
COMMENT ON COLUMN feed.flags.scope IS 'Scope: one user, a percentage of the users, or all. user takes precedence over percentage, and percentage over everybody.';
COMMENT ON COLUMN feed.flags.user_id IS 'The user, for scope user; otherwise empty';
COMMENT ON COLUMN feed.flags.percentage IS
    'Rollout percentage, for scope percentage: it applies to users whose feed.rollout_bucket is below it';
COMMENT ON COLUMN feed.flags.value IS 'websocket, sse, poll or off for realtime; always off for notify and capture, and on for seal';
COMMENT ON COLUMN feed.flags.always_triggers IS 'For capture: for each table, the triggers that become ENABLE ALWAYS again when capture is turned on';
COMMENT ON COLUMN feed.flags.at IS 'When it was set';
COMMENT ON COLUMN feed.flags.set_by IS 'session_user who set it';
