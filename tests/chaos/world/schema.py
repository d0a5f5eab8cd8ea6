"""The initial contents of the database: users, boards, cards, and a table for marks of committed transactions."""

from typing import LiteralString

import psycopg

USERS = ["ana", "bruno", "carla", "dora", "elio", "fabi"]
CHURNED = ["carla", "dora", "elio", "fabi"]
"""Users whose memberships change; the others keep theirs."""
PROBE = "probe"
"""The user of the harness's probes, on a board of its own."""
REST = "ana"
"""The user that writes through the API, always an editor of every board."""
BOARDS = ["b1", "b2", "b3", "b4", "bulk"]
CANARY_BOARD = "canary"
CANARY = "canary"
"""The card on the canary board."""
CARDS = 16
"""The number of cards on each small board."""
BULK = 5000
PHASES = ["new", "qualified", "proposal", "won"]

_SEED: LiteralString = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.marks (tag text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
INSERT INTO users (id, name) SELECT u, initcap(u) FROM unnest(%(users)s::text[]) AS u;
INSERT INTO feed.boards (id, name, phases)
SELECT b, initcap(b), (SELECT jsonb_agg(jsonb_build_object('id', p, 'name', p)) FROM unnest(%(phases)s::text[]) AS p)
FROM unnest(%(boards)s::text[]) AS b
"""
_MEMBERS: LiteralString = """
INSERT INTO feed.board_members (board_id, user_id, role) VALUES
    ('b1', 'ana', 'admin'), ('b2', 'ana', 'admin'), ('b3', 'ana', 'editor'), ('b4', 'ana', 'editor'), ('bulk', 'ana', 'editor'),
    ('b1', 'bruno', 'editor'), ('b2', 'bruno', 'viewer'),
    ('b3', 'carla', 'viewer'), ('b4', 'carla', 'editor'),
    ('b1', 'dora', 'viewer'), ('b2', 'dora', 'viewer'), ('b3', 'dora', 'viewer'),
    ('b2', 'elio', 'editor'), ('b4', 'elio', 'viewer'),
    ('canary', 'probe', 'viewer')
ON CONFLICT DO NOTHING
"""
_CARDS: LiteralString = """
INSERT INTO opportunities (id, board_id, title, phase, probability)
SELECT b || '-c' || n, b, 'Card ' || n || ' of ' || b, 'new', 0
FROM unnest(%(boards)s::text[]) AS b, generate_series(1, %(cards)s) AS n
UNION ALL
SELECT 'bulk-c' || n, 'bulk', 'Bulk ' || n, 'new', 0 FROM generate_series(1, %(bulk)s) AS n
ON CONFLICT DO NOTHING
"""


def fill(url: str) -> None:
    """Fill a migrated database. The audit must be installed before, so that it records everything."""
    values = {"users": [*USERS, PROBE], "boards": [*BOARDS, CANARY_BOARD], "phases": PHASES}
    with psycopg.connect(url) as conn, psycopg.ClientCursor(conn) as cursor:
        cursor.execute(_SEED, values)
    fill_members(url)
    fill_cards(url)


def fill_members(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute(_MEMBERS)


def fill_cards(url: str) -> None:
    small = [board for board in BOARDS if board != "bulk"]
    with psycopg.connect(url) as conn:
        conn.execute(_CARDS, {"boards": small, "cards": CARDS, "bulk": BULK})
