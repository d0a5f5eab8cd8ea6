"""The last day of the gauges that the database does not record, for a page that is opened after an incident.

Invariant: one sample every ten seconds, and never more than a day of them. If a sample cannot be read, the history has
a gap there.
"""

import asyncio
import time
from collections import deque
from typing import NamedTuple

import psycopg
import structlog
from sqlalchemy import exc

from api.dba.reads import DbaReads
from db import dba
from feed.system.tasks import BackgroundTask

INTERVAL = 10.0
"""Seconds between samples."""
_MAX_SAMPLES = 8_640

_log = structlog.get_logger("api")


class Sample(NamedTuple):
    at: float
    queue: float | None
    log_bytes: int | None
    connections: int | None


class GaugeHistory(BackgroundTask):
    task_name = "gauge history"

    def __init__(self, reads: DbaReads) -> None:
        self._reads = reads
        self.samples: deque[Sample] = deque(maxlen=_MAX_SAMPLES)

    async def take_sample(self) -> Sample:
        try:
            async with self._reads.connection() as conn:
                values: tuple[float | None, int | None, int | None] = await dba.gauges(conn)
        except (psycopg.Error, exc.SQLAlchemyError, TimeoutError) as error:
            _log.info("gauges not read", error=str(error).strip())
            values = (None, None, None)
        sample = Sample(time.time(), *values)
        self.samples.append(sample)
        return sample

    async def _run(self) -> None:
        while True:
            await self.take_sample()
            await asyncio.sleep(INTERVAL)
