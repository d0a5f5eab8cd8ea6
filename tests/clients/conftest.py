"""Node, and a bundle of the client's current source."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.lending import database, services, services_and_database, shared_services

__all__ = ["bundle", "database", "node", "services", "services_and_database", "shared_services"]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if found is None or not (ROOT / "node_modules").exists():
        pytest.fail("needs Node and its packages, as `make setup` installs them")
    return found


@pytest.fixture(scope="session")
def bundle(node: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The client in one file."""
    target = tmp_path_factory.mktemp("client") / "client.mjs"
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    source = 'export * from "./index.js"; export * from "./store.js";'
    command: list[str | Path] = [
        esbuild,
        "--bundle",
        "--minify",
        "--format=esm",
        "--log-level=warning",
        f"--outfile={target}",
    ]
    subprocess.run(command, check=True, input=source, text=True, cwd=ROOT / "web" / "client" / "src")
    return str(target)
