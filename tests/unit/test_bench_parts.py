"""Each benchmark scenario is listed and documented."""

import ast
from pathlib import Path

from tests.bench import scenarios

FOLDER = Path(scenarios.__file__).parent


def test_each_scenario_is_listed_and_has_a_docstring() -> None:
    modules = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.py")}
    del modules["__init__"]
    assert sorted(modules) == sorted(scenarios.NAMES)
    assert all(ast.get_docstring(module) for module in modules.values())
