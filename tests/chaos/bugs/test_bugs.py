"""The checker detects each seeded bug, and reports nothing without a bug."""

import pytest

from tests.chaos.bugs.bug import RESET, TRUNCATE
from tests.chaos.bugs.catalog import BUGS
from tests.chaos.bugs.small import run
from tests.support.database import Database


@pytest.mark.parametrize("name", BUGS)
async def test_each_seeded_bug_causes_a_matching_verdict(name: str, database: Database) -> None:
    bug = BUGS[name]
    verdicts = await run(database.url, bug, seed=1, seconds=4, settle=2, event=bug.event)
    assert bug.caught_by & {verdict.kind for verdict in verdicts}, verdicts


@pytest.mark.parametrize("event", [None, RESET, TRUNCATE])
async def test_without_a_bug_there_is_no_verdict(event: str | None, database: Database) -> None:
    assert await run(database.url, None, seed=1, seconds=4, settle=20, event=event) == []
