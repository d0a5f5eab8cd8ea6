-- Tables that an application may already have keep their columns and get the missing ones. Nothing else is added that would
-- remain after a downgrade: no comments on columns that may belong to the application. The index has a name that starts
-- with feed_.
SELECT set_config('boardcast.adopts', (to_regclass('opportunities') IS NOT NULL)::text, true);

CREATE TABLE IF NOT EXISTS users (id text PRIMARY KEY);
ALTER TABLE users
    ADD COLUMN IF NOT EXISTS name text,
    ADD COLUMN IF NOT EXISTS email text;

CREATE TABLE boards (
    id text PRIMARY KEY,
    name text NOT NULL,
    phases jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE boards IS 'A sales pipeline.';
COMMENT ON COLUMN boards.phases IS 'Stages of the board, in order: [{"id": ..., "name": ...}]';

CREATE TABLE board_members (
    board_id text NOT NULL REFERENCES boards (id) ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CONSTRAINT board_members_role CHECK (role IN ('viewer', 'editor', 'admin')),
    PRIMARY KEY (board_id, user_id)
);
COMMENT ON TABLE board_members IS 'Who may see which board. A change takes effect on open connections at its position in the log.';
CREATE INDEX board_members_user_id ON board_members (user_id);

CREATE TABLE IF NOT EXISTS opportunities (id text PRIMARY KEY DEFAULT gen_random_uuid()::text);

-- An adopted application has no boards. It gets one, 'main', which has the stages that its rows are in, even if there are
-- no rows yet, and is visible to all users.
INSERT INTO boards (id, name, phases)
SELECT 'main', 'Main', coalesce(jsonb_agg(jsonb_build_object('id', phase, 'name', phase) ORDER BY phase), '[]')
FROM (SELECT DISTINCT CASE WHEN to_jsonb(o.*) ? 'phase' THEN to_jsonb(o.*) ->> 'phase' ELSE '' END AS phase FROM opportunities AS o) AS p
WHERE phase IS NOT NULL
HAVING current_setting('boardcast.adopts')::boolean;
INSERT INTO board_members (board_id, user_id, role)
SELECT boards.id, users.id, 'editor' FROM boards CROSS JOIN users;

-- In the key order of jsonb (shorter names first), so that the keys of row images do not have to be sorted.
ALTER TABLE opportunities
    ADD COLUMN IF NOT EXISTS notes text,
    ADD COLUMN IF NOT EXISTS phase text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS title text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS value numeric(14, 2),
    ADD COLUMN IF NOT EXISTS company text,
    ADD COLUMN IF NOT EXISTS contact text,
    ADD COLUMN IF NOT EXISTS board_id text NOT NULL DEFAULT 'main' REFERENCES boards (id) ON DELETE CASCADE,
    ADD COLUMN IF NOT EXISTS currency text NOT NULL DEFAULT 'BRL',
    ADD COLUMN IF NOT EXISTS owner_id text,
    ADD COLUMN IF NOT EXISTS position text NOT NULL DEFAULT 'a0',
    ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS probability integer,
    ADD COLUMN IF NOT EXISTS last_sync_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS version_number integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS last_modified_by text,
    ADD COLUMN IF NOT EXISTS expected_close_date date;
CREATE INDEX feed_opportunities_board_id ON opportunities (board_id);

CREATE UNLOGGED TABLE user_presence (
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
COMMENT ON TABLE user_presence IS
    'Who is viewing or editing which opportunity, or viewing which board without an open opportunity. Each row is a lease that the service holding the connection renews.';
CREATE INDEX user_presence_opportunity_id ON user_presence (opportunity_id);
CREATE INDEX user_presence_user_id ON user_presence (user_id);
