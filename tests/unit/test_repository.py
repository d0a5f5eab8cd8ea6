"""The files that contributors and CI start from name only what exists. Links are checked in tests/cli/test_docs.py."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "docs" / "stability.md", ARCHITECTURE]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PACKAGES = ("db", "feed", "api", "cli", "tests")

CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"\.?[\w-][\w.-]*(?:/[\w.-]+)*/?")
"""A path inside the repository: `db/sql`, `.ci/node`, `pyproject.toml`."""
SUFFIXES = {".py", ".sql", ".ts", ".md", ".toml", ".txt", ".yaml", ".yml", ".mako"}
INSTALLED = ".venv/"


@pytest.fixture(scope="module")
def workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text())


@pytest.fixture(scope="module")
def hooks() -> Any:
    (local,) = yaml.safe_load(HOOKS.read_text())["repos"]
    assert local["repo"] == "local"
    return local["hooks"]


def make_targets(text: str) -> set[str]:
    """The targets that commands call: `make test` in a page, a line of a block or of a script."""
    return set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))


def commands(workflow: Any) -> str:
    return "\n".join(run for job in workflow["jobs"].values() for run in steps(job))


def named_paths(page: Path) -> list[str]:
    """The paths in a page's code; for `db/sql/tables/<name>.sql`, the folder."""
    text = page.read_text()
    words = [word for block in BLOCK.findall(text) for word in block.split()]
    words += [span.strip() for span in CODE.findall(BLOCK.sub("", text))]
    paths = [word.rpartition("/")[0] if "<" in word and "/" in word else word for word in words]
    found = [path for path in paths if PATH.fullmatch(path) and ("/" in path or Path(path).suffix in SUFFIXES)]
    return [path for path in found if not path.startswith(INSTALLED)]


def exists(path: str) -> bool:
    """Whether this file or folder exists.

    A bare module name may be anywhere in the packages, and an SQL object may be named as migrations do: `grants/ownership`.
    """
    if (ROOT / path).exists() or (ROOT / "db" / "sql" / f"{path}.sql").is_file():
        return True
    return "/" not in path and any(next((ROOT / package).rglob(path), None) for package in PACKAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_path_a_page_names_exists(page: Path) -> None:
    assert [path for path in named_paths(page) if not exists(path)] == []


def test_each_test_named_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", ARCHITECTURE.read_text()))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert named - set(re.findall(r"def (test_\w+)\(", tests)) == set()
    assert len(named) > 10


@pytest.mark.parametrize("parent", ["api", "feed"])
def test_the_architecture_lists_each_package_of_the_services(parent: str) -> None:
    packages = {path.parent.name for path in (ROOT / parent).glob("*/__init__.py")}
    assert {name for name in packages if f"{parent}/{name}/" not in ARCHITECTURE.read_text()} == set()
    assert packages


def test_paths_are_found_in_the_guide() -> None:
    paths = named_paths(ROOT / "CONTRIBUTING.md")
    assert {"db/settings.py", "db/sql/tables", "tests/contract", ".ci/node", "0001_feed.py", "constraints.txt"} <= set(
        paths
    )


@pytest.mark.parametrize("file", [HOOKS, *PAGES], ids=lambda file: file.name)
def test_each_make_target_a_file_names_exists(file: Path) -> None:
    assert make_targets(file.read_text()) - TARGETS == set()


def test_ci_ends_each_job_with_a_make_target(workflow: Any) -> None:
    last = [job["steps"][-1]["run"] for job in workflow["jobs"].values()]
    assert last == ["make check", "make test", "make compat"]
    assert make_targets(commands(workflow)) - TARGETS == set()


def test_ci_has_read_only_permissions_and_timeouts(workflow: Any) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90
        assert "permissions" not in job


def test_ci_pins_each_action_to_a_major_version(workflow: Any) -> None:
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert actions
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in actions)


def test_ci_tests_the_versions_that_are_supported(workflow: Any) -> None:
    matrix = workflow["jobs"]["compat"]["strategy"]["matrix"]
    assert PROJECT["project"]["requires-python"] == f">={matrix['python'][0]}"
    supported = re.search(r"PostgreSQL (\d+) to (\d+)", (ROOT / "README.md").read_text())
    assert supported
    assert matrix["postgresql"] == [str(version) for version in range(int(supported[1]), int(supported[2]) + 1)]


def test_ci_selects_postgresql_with_the_variable_of_the_tests(workflow: Any) -> None:
    (variable,) = workflow["jobs"]["compat"]["steps"][-1]["env"]
    assert f'"{variable}"' in (ROOT / "tests" / "conftest.py").read_text()


def test_the_guide_and_ci_list_the_system_packages_of_the_tests(workflow: Any) -> None:
    packages = re.findall(r"missing\+=\((.+)\)", (ROOT / ".ci" / "machine").read_text())
    guide = re.search(r"^sudo apt-get install (.+)$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert guide
    assert sorted(packages) == guide[1].split()
    (line,) = re.findall(r"install --yes --no-install-recommends (.*)", "\n".join(steps(workflow["jobs"]["test"])))
    assert set(line.split()) == set(packages) - {"chromium", "curl"}  # these two are on the runner


def test_only_the_tests_install_system_packages() -> None:
    assert machine("setup", "up", "check", "compat") == {"python"}
    assert machine("test") == {"python", "tests"}


def machine(*targets: str) -> set[str]:
    """The arguments with which make calls .ci/machine."""
    command = ["make", "--dry-run", "--always-make", *targets]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return set(re.findall(r"\.ci/machine (\w+)", done.stdout))


def steps(job: Any) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_the_hooks_run_the_tools_of_make(hooks: Any) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for hook in hooks:
        program = hook["entry"].split()[0]
        assert program.startswith(".venv/bin/")
        assert program.replace(".venv/bin", "$(BIN)") in makefile
        assert hook["language"] == "system"


def test_each_shipped_package_is_typed() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = [name for name in wheel["only-include"] if (ROOT / name).is_dir()]
    assert set(packages) == {"db", "feed", "api", "cli"}
    assert all((ROOT / package / "py.typed").is_file() for package in packages)


def test_the_docstring_of_db_lists_its_packages_and_modules() -> None:
    docstring = ast.get_docstring(ast.parse((ROOT / "db" / "__init__.py").read_text())) or ""
    packages = {path.parent.name for path in (ROOT / "db").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "db").glob("*.py")} - {"__init__"}
    assert {name for name in packages | modules if not re.search(rf"\b{name}\b", docstring)} == set()


def test_each_package_has_a_docstring() -> None:
    packages = [path for package in ("db", "feed", "api", "cli") for path in (ROOT / package).rglob("__init__.py")]
    assert [path for path in packages if not ast.get_docstring(ast.parse(path.read_text()))] == []


STATEMENT = re.compile(
    r"\s*(SELECT\b|INSERT INTO\b|UPDATE \w+|DELETE FROM\b|WITH \w+ AS\b|LOCK TABLE\b|(CREATE|ALTER|DROP) [A-Z]+ \w)"
)


def test_python_holds_no_sql() -> None:
    """Except in migrations and in printed advice, which has a comment or an ellipsis."""
    sources = [path for package in ("db", "feed", "api", "cli") for path in (ROOT / package).rglob("*.py")]
    found = []
    for path in sources:
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Constant):
                continue
            text = node.value if isinstance(node.value, str) else ""
            if STATEMENT.match(text) and not {"--", "…"} & set(re.findall(r"--|…", text)):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {text[:60]}")
    assert found == []


def test_only_the_changelog_reads_the_log() -> None:
    reads = re.compile(r"(FROM|JOIN) feed\.log\b|feed.changes_since\(", re.IGNORECASE)
    queries = {path.stem for path in (ROOT / "db" / "sql" / "queries").glob("*.sql") if reads.search(path.read_text())}
    assert {"changes_since", "changes_since_prefetch", "position", "boards"} <= queries
    for package in ("db", "feed", "api", "cli"):
        for path in (ROOT / package).rglob("*.py"):
            named = set(re.findall(r'"queries/(\w+)"', path.read_text()))
            assert not named & queries or path.parent == ROOT / "db" / "changelog", path
