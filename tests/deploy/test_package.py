"""Builds an sdist and a wheel from a copy of the checkout, then installs and runs the wheel elsewhere.

The new virtual environment contains only the wheel. A .pth file adds the packages of the tests' environment, in the versions of
constraints.txt, so that nothing is downloaded.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.cli.harness import Commands

ROOT = Path(__file__).parents[2]
HATCH = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PACKAGES = ("db", "feed", "api", "cli")
WORKSPACE = {"package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"}
"""Files that only npm needs."""


@dataclass(frozen=True)
class Package:
    """`checkout` is the copy that the package was built from."""

    checkout: Path
    sdist: Path
    wheel: Path

    @property
    def files(self) -> set[str]:
        """Return the files that the wheel installs."""
        with zipfile.ZipFile(self.wheel) as wheel:
            return {name for name in wheel.namelist() if not name.endswith("/")}


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked() -> list[Path]:
    """Return the files that a commit of the current checkout would contain."""
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=ROOT).split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


def built() -> list[Path]:
    """Return the pages that npm has built."""
    files = [path for pattern in HATCH["artifacts"] for path in ROOT.glob(f"{pattern}/*") if path.is_file()]
    assert files, "this needs the pages: `make setup` builds them"
    return files


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Build without isolation, with the backend in the tests' virtual environment."""
    folder = tmp_path_factory.mktemp("package")
    checkout, target = folder / "checkout", folder / "dist"
    for path in [*tracked(), *built()]:
        copy = checkout / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", target, checkout, folder=folder)
    return Package(checkout, target / f"boardcast-{VERSION}.tar.gz", target / f"boardcast-{VERSION}-py3-none-any.whl")


@pytest.fixture(scope="module")
def environment(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-index", "--no-deps", package.wheel, folder=folder)
    place = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    # Python does not read .pth files in a folder that a .pth file adds, so the editable install of the checkout stays invisible.
    Path(place, "test-packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture
def installed(commands: Commands, environment: Path) -> Commands:
    """The installed command, in its own folder."""
    commands.program = (environment / "bin" / "boardcast",)
    return commands


def test_the_sdist_has_everything_to_build_a_wheel(package: Package) -> None:
    with tarfile.open(package.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "constraints.txt", "Makefile", "boardcast.py"} <= names
    assert {str(path.relative_to(ROOT)) for path in built()} <= names
    assert {name for name in names if name.startswith((".venv", ".boardcast", "node_modules"))} == set()


def test_the_wheel_has_every_file_that_the_services_need(package: Package) -> None:
    sources = {
        str(path.relative_to(package.checkout))
        for name in PACKAGES
        for path in (package.checkout / name).rglob("*")
        if path.suffix in {".py", ".sql", ".csv", ".mako"} or path.name == "py.typed"
    }
    pages = {str(path.relative_to(ROOT)) for path in built()}
    assert sources | pages | {"boardcast.py"} <= package.files
    assert {f"{name}/py.typed" for name in PACKAGES} <= package.files
    assert any(name.startswith("db/migrations/versions/") for name in package.files)


def test_the_wheel_has_no_development_files(package: Package) -> None:
    places = {name.split("/")[0] for name in package.files}
    assert places == {*PACKAGES, "boardcast.py", f"boardcast-{VERSION}.dist-info"}
    others = [Path(name) for name in package.files - {str(path.relative_to(ROOT)) for path in built()}]
    assert [name for name in others if name.suffix in {".ts", ".tsx"} or name.name in WORKSPACE] == []


def test_the_requirements_are_satisfied(environment: Path) -> None:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", environment / "bin" / "python")
    assert "No broken requirements" in run(*pip, "check", folder=environment)


def test_the_command_runs_without_the_checkout(installed: Commands, environment: Path) -> None:
    places = run(
        environment / "bin" / "python",
        "-c",
        "import boardcast, db, feed, api, cli; print(*(m.__file__ for m in (boardcast, db, feed, api, cli)))",
        folder=installed.folder,
    ).split()
    assert all(Path(place).is_relative_to(environment) for place in places), places
    assert installed.output("--version") == VERSION
    assert "Usage: boardcast" in installed.output("--help")


def test_the_installed_command_serves_the_pages(installed: Commands) -> None:
    with installed.serving("up") as up:
        for page in ("/", "/dba"):
            response = httpx.get(up.api + page)
            assert response.status_code == 200, f"{page}: {response.text}"
            links = re.findall(r'(?:src|href)="([^"#]+\.(?:js|css|svg|woff2))"', response.text)
            assert any(name.endswith(".js") for name in links), page
            for name in links:
                assert httpx.get(urljoin(up.api + page, name)).status_code == 200, name
        token = installed.output("token", "ana")
        boards = httpx.get(f"{up.api}/api/boards", headers={"Authorization": f"Bearer {token}"})
        assert boards.status_code == 200
