CREATE UNLOGGED TABLE feed.user_presence (
    id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    user_id text NOT NULL,
    user_name text NOT NULL,
    opportunity_id text,
    board_id text,
    action text NOT NULL CONSTRAINT user_presence_action CHECK (action IN ('editing', 'viewing')),
    started_at timestamptz NOT NULL DEFAULT now(),
    last_activity timestamptz NOT NULL DEFAULT now(),
    connection text NOT NULL,
    instance text NOT NULL,
    base_version integer,
    CONSTRAINT user_presence_place CHECK (num_nonnulls(opportunity_id, board_id) = 1),
    CONSTRAINT user_presence_edits CHECK (action = 'viewing' OR opportunity_id IS NOT NULL)
);
COMMENT ON TABLE feed.user_presence IS
    'Who is viewing or editing which opportunity, or viewing which board without an open opportunity. Each row is a lease that the service holding the connection renews.';
COMMENT ON COLUMN feed.user_presence.id IS 'The connection and the place';
COMMENT ON COLUMN feed.user_presence.user_id IS 'The user';
COMMENT ON COLUMN feed.user_presence.user_name IS 'Name of the user';
COMMENT ON COLUMN feed.user_presence.opportunity_id IS 'The opportunity that is open; null: none';
COMMENT ON COLUMN feed.user_presence.board_id IS 'The board, if no opportunity is open';
COMMENT ON COLUMN feed.user_presence.action IS 'editing or viewing';
COMMENT ON COLUMN feed.user_presence.started_at IS 'When the action began';
COMMENT ON COLUMN feed.user_presence.last_activity IS 'When the lease was last renewed';
COMMENT ON COLUMN feed.user_presence.connection IS 'The stream or, for leases taken by requests, the user''s browser tab';
COMMENT ON COLUMN feed.user_presence.instance IS 'Instance that renews the lease, named as in /readyz; http: a lease taken by requests';
COMMENT ON COLUMN feed.user_presence.base_version IS 'Version that the user started to edit; null: not reported';
CREATE INDEX user_presence_opportunity_id ON feed.user_presence (opportunity_id);
CREATE INDEX user_presence_user_id ON feed.user_presence (user_id);
