"""Describes the machine and the versions of a run, without the names of hosts, users or paths."""

import json
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from db.embedded.binaries import find_binaries

_PYTHON = ("aiohttp", "psycopg", "uvloop", "orjson", "pg-sse", "starlette", "uvicorn")
_NODE = ("express", "ws", "redis", "socket.io", "@socket.io/postgres-adapter", "pg", "bufferutil")
_ROOT = Path(__file__).parents[2]
_LOCK = Path(__file__).parent / "peers/package-lock.json"


def machine() -> dict[str, object]:
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu[1] if cpu else platform.machine(),
        "memory_gb": round(pages / 2**30),
        "kernel": f"{platform.system()} {_number(platform.release())}",
    }


def versions() -> dict[str, str]:
    locked = json.loads(_LOCK.read_text(encoding="utf-8"))["packages"]
    return {
        "PostgreSQL": _version_output(str(find_binaries() / "postgres"), "--version"),
        "Python": platform.python_version(),
        "Node": _version_output(str(_ROOT / ".ci/node"), "node", "--version"),
        "Redis": _version_output("redis-server", "--version"),
        **{name: version(name) for name in ("boardcast", *_PYTHON)},
        **{f"{name} (npm)": locked[f"node_modules/{name}"]["version"] for name in _NODE},
    }


def _version_output(*command: str) -> str:
    try:
        return _number(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    except OSError:
        return "none"


def _number(text: str) -> str:
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else text.strip()
