"""What a role may do: run each service, and read for monitoring.

Invariant: what a service needs is what db/sql/grants grants to its group role; there is no second list.
"""

from typing import NamedTuple

from psycopg.rows import class_row

from db.connection import PsycopgConnection
from db.sqlfiles import sql

API, FEED, MONITORING = "boardcast api", "boardcast feed", "monitoring"


class RoleCheck(NamedTuple):
    """Whether `role` may do something: it is `lacking` so many privileges of the group role `granted`; `first` is one of them.

    Not `known` if the group role is missing, or was granted nothing.
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
    def fix(self) -> str:
        return f'GRANT {self.granted} TO "{self.role}";'


async def check_privileges(conn: PsycopgConnection) -> list[RoleCheck]:
    """Check the current role for each of the three: API, FEED, MONITORING."""
    async with conn.cursor(row_factory=class_row(RoleCheck)) as cursor:
        return await (await cursor.execute(sql("queries/rights"))).fetchall()
