"""What a role may do: run each of the services, and look.

Invariant: what a service needs is what its group role was granted by db/sql/grants; there is no second list.
"""

from typing import NamedTuple

from psycopg.rows import class_row

from db.changelog import Connection
from db.sqlfiles import sql

API, FEED, LOOKING = "boardcast api", "boardcast feed", "looking"


class Right(NamedTuple):
    """Whether `role` may do something: `lacking` rights of those that `granted`, a group role, has; `first` is one of them.

    Not `known` where the group role is missing, or was granted nothing.
    """

    does: str
    granted: str
    role: str
    known: bool
    lacking: int
    first: str | None

    @property
    def lacks(self) -> str:
        return f"it lacks {self.first}" + (f" and {self.lacking - 1} more" if self.lacking > 1 else "")

    @property
    def cure(self) -> str:
        return f'GRANT {self.granted} TO "{self.role}";'


async def rights(conn: Connection) -> list[Right]:
    """Those of the current role to each of the three: API, FEED, LOOKING."""
    async with conn.cursor(row_factory=class_row(Right)) as cursor:
        return await (await cursor.execute(sql("queries/rights"))).fetchall()
