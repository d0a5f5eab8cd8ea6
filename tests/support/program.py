"""Drives a program in another language that prints one line of JSON for each event."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self


class Program:
    def __init__(self, folder: Path) -> None:
        self.lines: list[dict[str, Any]] = []
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @asynccontextmanager
    async def run(self, *command: str) -> AsyncIterator[Self]:
        process = self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=self._folder, limit=2**24
        )
        reading = asyncio.create_task(self._read(process), name="read a program")
        try:
            yield self
            assert process.returncode is None, "the program exited by itself"
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await reading

    async def send(self, **line: Any) -> None:
        """Write a line of JSON to its standard input."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        await self._process.stdin.drain()

    def versions(self) -> list[int]:
        return [line["version"] for line in self.lines if line["type"] == "opportunity_updated"]

    def count(self, kind: str) -> int:
        return [line["type"] for line in self.lines].count(kind)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.lines.append(json.loads(line))
