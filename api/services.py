"""What the handlers work with, given to the app when it is made and found again from the request."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request

from api.cache import Snapshots
from api.gather import Gatherer
from api.metrics import Metrics
from api.series import Gauges
from api.waiting import Waiting
from api.watch import Watch
from db.boards import Board
from db.settings import Settings
from feed.access.tokens import Tokens
from feed.runtime import Runtime


@dataclass(slots=True)
class Services:
    settings: Settings
    engine: AsyncEngine
    tokens: Tokens
    hub: Runtime | None
    metrics: Metrics
    revision: str
    """The newest migration that this code knows."""
    snapshots: Snapshots
    memberships: Gatherer[list[Board]]
    """The boards of each user."""
    build: str
    """Which board is served (see api.build)."""
    console: str
    """Which of the DBA's pages is."""
    watch: Watch
    waiting: Waiting | None
    """None in a process without a hub."""
    gauges: Gauges
    draining: bool = False
    """Set when this instance is about to stop: it answers, but is not ready for more."""

    def start(self) -> None:
        """Begin what runs beside the requests."""
        self.gauges.start()

    def drain(self) -> None:
        """Tell whoever follows something that this instance stops."""
        self.draining = True
        self.watch.ring()
        if self.waiting is not None:
            self.waiting.end()

    async def stop(self) -> None:
        """End what is still being read. Idempotent."""
        await self.gauges.stop()
        await self.snapshots.stop()
        await self.memberships.stop()


def of_app(app: Starlette) -> Services:
    return cast(Services, app.state.services)


def services(request: Request) -> Services:
    return cast(Services, request.app.state.services)
