"""What the benchmark says of itself."""

import ast
from pathlib import Path

from tests.bench import scenarios

PLACE = Path(scenarios.__file__).parent


def test_each_part_is_in_the_list_and_says_what_it_does() -> None:
    modules = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in PLACE.glob("*.py")}
    del modules["__init__"]
    assert sorted(modules) == sorted(scenarios.NAMES)
    assert all(ast.get_docstring(module) for module in modules.values())
