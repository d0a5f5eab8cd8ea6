"""The files that contributors and CI start from name only what exists. Links are checked in tests/cli/test_docs.py."""

import re
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
    return "\n".join(step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step)


def named_paths(page: Path) -> list[str]:
    """The paths in a page's code; of `db/sql/tables/<name>.sql` the folder."""
    text = page.read_text()
    words = [word for block in BLOCK.findall(text) for word in block.split()]
    words += [span.strip() for span in CODE.findall(BLOCK.sub("", text))]
    paths = [word.rpartition("/")[0] if "<" in word and "/" in word else word for word in words]
    found = [path for path in paths if PATH.fullmatch(path) and ("/" in path or Path(path).suffix in SUFFIXES)]
    return [path for path in found if not path.startswith(INSTALLED)]


def exists(path: str) -> bool:
    """Whether there is such a file or folder; a bare module name may be anywhere in the packages."""
    if (ROOT / path).exists():
        return True
    return "/" not in path and any(next((ROOT / package).rglob(path), None) for package in PACKAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_path_a_page_names_exists(page: Path) -> None:
    assert [path for path in named_paths(page) if not exists(path)] == []


def test_each_test_that_the_architecture_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", ARCHITECTURE.read_text()))
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert named - set(re.findall(r"def (test_\w+)\(", tests)) == set()
    assert len(named) > 10


def test_each_package_of_the_feed_has_a_place_in_the_architecture() -> None:
    packages = {path.parent.name for path in (ROOT / "feed").glob("*/__init__.py")}
    assert {name for name in packages if f"feed/{name}/" not in ARCHITECTURE.read_text()} == set()


def test_the_paths_of_the_guide_are_found() -> None:
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


def test_ci_may_only_read_and_ends(workflow: Any) -> None:
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


def test_ci_chooses_the_postgresql_by_the_variable_of_the_tests(workflow: Any) -> None:
    (variable,) = workflow["jobs"]["compat"]["steps"][-1]["env"]
    assert f'"{variable}"' in (ROOT / "tests" / "conftest.py").read_text()


def test_the_hooks_run_the_tools_of_make(hooks: Any) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for hook in hooks:
        program = hook["entry"].split()[0]
        assert program.startswith(".venv/bin/")
        assert program.replace(".venv/bin", "$(BIN)") in makefile
        assert hook["language"] == "system"


def test_each_package_that_is_shipped_is_typed() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = [name for name in wheel["only-include"] if (ROOT / name).is_dir()]
    assert set(packages) == {"db", "feed", "api", "cli"}
    assert all((ROOT / package / "py.typed").is_file() for package in packages)
