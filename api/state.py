"""The state of the application: everything that handlers work with. The app is given it when it is created."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request

from api.cache.batch_loader import BatchLoader
from api.cache.snapshots import SnapshotCache
from api.dba.change_watcher import ChangeWatcher
from api.dba.gauge_history import GaugeHistory
from api.dba.reads import DbaReads
from api.long_poll import LongPolls
from api.metrics import ApiMetrics
from db.boards import Board
from db.settings import Settings
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from feed.system.shared_result import SharedResult


@dataclass(slots=True)
class AppState:
    settings: Settings
    engine: AsyncEngine
    tokens: Tokens
    runtime: Runtime | None
    """The feed in this process. None in a process that serves no streams, such as most tests of the API."""
    metrics: ApiMetrics
    database_check: SharedResult[str]
    """"ok", or why the database cannot be used."""
    snapshots: SnapshotCache
    memberships: BatchLoader[list[Board]]
    """Loads the boards of a user."""
    build: str
    """Fingerprint of the board page that is served (see api.fingerprints)."""
    console: str
    """Fingerprint of the DBA's page that is served."""
    dba_reads: DbaReads
    change_watcher: ChangeWatcher
    long_polls: LongPolls | None
    """None without a runtime."""
    gauge_history: GaugeHistory
    draining: bool = False
    """Whether this instance is about to stop: it still responds, but is not ready for new requests."""

    def start(self) -> None:
        """Start what runs beside the requests."""
        if self.runtime is not None:
            self.gauge_history.start(self.runtime.supervisor)

    def drain(self) -> None:
        """Release streams and long polls, because this instance stops."""
        self.draining = True
        self.change_watcher.wake_all()
        if self.long_polls is not None:
            self.long_polls.release_all()

    async def stop(self) -> None:
        """Stop what runs beside the requests. Idempotent."""
        await self.gauge_history.stop()
        await self.snapshots.stop()
        await self.memberships.stop()


def app_state(source: Request | Starlette) -> AppState:
    """Return the state of an application, or of the application that handles a request."""
    app = source.app if isinstance(source, Request) else source
    return cast(AppState, app.state.api)
