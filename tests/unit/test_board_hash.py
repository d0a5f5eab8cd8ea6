"""The board hash: the test vectors that PostgreSQL, Python and TypeScript share, and incremental updates."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from db.changelog.changes import Change
from feed.integrity.board_hash import BoardHash, row_hash

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "checkpoint.json").read_text())


def change(op: str, key: str | None, version: int | None) -> Change:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return Change(
        1, 1, at, "opportunities", op, key, "b1", version, "ana", None, None, None, None, None, None, None, 1, True
    )


def total(rows: dict[str, int]) -> BoardHash:
    board_hash = BoardHash()
    for key, version in rows.items():
        board_hash.add(key, version)
    return board_hash


@pytest.mark.parametrize("row", VECTORS["rows"], ids=lambda row: f"{row['id'][:10]} v{row['version']}")
def test_row_hash_matches_the_vectors(row: dict[str, Any]) -> None:
    assert f"{row_hash(row['id'], row['version']):08x}" == row["hash"]


@pytest.mark.parametrize("board", VECTORS["boards"], ids=lambda board: f"{board['count']} {board['hash']}")
def test_board_hash_matches_the_vectors(board: dict[str, Any]) -> None:
    board_hash = total({row["id"]: row["version"] for row in board["rows"]})
    assert board_hash.held == (board["count"], board["hash"])


def test_incremental_updates_equal_a_full_computation() -> None:
    rng = random.Random(5)
    rows: dict[str, int] = {}
    gone: dict[str, int] = {}
    board_hash = BoardHash()
    for _ in range(3000):
        key = f"o{rng.randrange(30)}"
        if key in rows:
            op = rng.choice(("update", "update", "delete", "leave"))
            version = rows[key] + (op != "delete")
            if op == "update":
                rows[key] = version
            else:
                gone[key] = version
                del rows[key]
        else:
            op, version = ("enter", gone[key]) if key in gone else ("insert", 1)
            rows[key] = version
        assert board_hash.apply(change(op, key, version))
        assert board_hash.held == total(rows).held


@pytest.mark.parametrize(
    "what", [("truncate", None, None), ("resync", None, None), ("update", "o1", None), ("resync", "o1", 2)]
)
def test_apply_reports_changes_it_cannot_follow(what: tuple[str, str | None, int | None]) -> None:
    assert not BoardHash().apply(change(*what))


def test_lost_updates_do_not_cancel_each_other_out() -> None:
    rows = {f"o{n:03}": 4 for n in range(200)}
    complete = total(rows).held
    seen = {complete.hash}
    for one in range(0, 200, 2):
        lost = total(rows | {f"o{one:03}": 5, f"o{one + 1:03}": 3})
        assert lost.held.rows == complete.rows
        seen.add(lost.held.hash)
    assert len(seen) == 101
