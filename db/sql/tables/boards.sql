CREATE TABLE feed.boards (
    -- An ID is a segment of a URL, where . and .. have a meaning, and one of several in ?boards=a,b.
    id text PRIMARY KEY
        CONSTRAINT boards_id_has_1_to_200_characters CHECK (char_length(id) BETWEEN 1 AND 200)
        CONSTRAINT boards_id_has_no_comma CHECK (id NOT LIKE '%,%')
        CONSTRAINT boards_id_is_not_a_dot_segment CHECK (id NOT IN ('.', '..')),
    name text NOT NULL,
    phases jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    currency text NOT NULL DEFAULT 'BRL',
    archived_at timestamptz,
    version_number integer NOT NULL DEFAULT 1,
    close_reasons jsonb NOT NULL DEFAULT '[]',
    stale_days integer NOT NULL DEFAULT 14 CONSTRAINT boards_stale_days CHECK (stale_days BETWEEN 1 AND 3650)
);
COMMENT ON TABLE feed.boards IS 'A sales pipeline.';
COMMENT ON COLUMN feed.boards.id IS 'The value that opportunities.board_id has';
COMMENT ON COLUMN feed.boards.name IS 'Name of the board';
COMMENT ON COLUMN feed.boards.phases IS 'Stages of the board, in order: [{"id", "name", "kind" (open, won or lost), "color", "probability"}]; all but the first two may be missing';
COMMENT ON COLUMN feed.boards.created_at IS 'When it was created. A user''s boards are listed in this order.';
COMMENT ON COLUMN feed.boards.currency IS 'Currency of new opportunities';
COMMENT ON COLUMN feed.boards.archived_at IS 'When it was archived: its opportunities can be read, but the API changes none of them. Null: it is in use.';
COMMENT ON COLUMN feed.boards.version_number IS 'Counts its changes; set by a trigger';
COMMENT ON COLUMN feed.boards.close_reasons IS 'Usual reasons why a deal is lost, which users are offered: an array of texts';
COMMENT ON COLUMN feed.boards.stale_days IS 'An open opportunity without a change for more days than this is shown as stale';

-- Without a foreign key to users: it would keep the application from changing that table, which may also be a view. The
-- trigger feed_forget_users removes the memberships of deleted users.
CREATE TABLE feed.board_members (
    board_id text NOT NULL REFERENCES feed.boards (id) ON DELETE CASCADE,
    user_id text NOT NULL,
    role text NOT NULL CONSTRAINT board_members_role CHECK (role IN ('viewer', 'editor', 'admin')),
    PRIMARY KEY (board_id, user_id)
);
COMMENT ON TABLE feed.board_members IS 'Who may see which board. A change takes effect on open connections at its position in the log.';
COMMENT ON COLUMN feed.board_members.board_id IS 'The board';
COMMENT ON COLUMN feed.board_members.user_id IS 'The user: users.id as text, which is also the subject of their tokens';
COMMENT ON COLUMN feed.board_members.role IS 'viewer, editor or admin';
CREATE INDEX board_members_user_id ON feed.board_members (user_id);
