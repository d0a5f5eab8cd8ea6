"""The clients and the checker share no code with the product or with the support code of its other tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.clients.cursor import parse
from tests.chaos.clients.rowhash import board_hash, row_hash

HERE = Path(__file__).parent
FORBIDDEN = ("db", "feed", "api", "cli", "boardcast", "tests")
ALLOWED = ("tests.chaos.model", "tests.chaos.clients", "tests.chaos.checker")


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            yield node.module or ""


def _below(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


@pytest.mark.parametrize("file", [HERE / "model.py", *HERE.glob("clients/*.py"), *HERE.glob("checker/*.py")], ids=str)
def test_clients_and_checker_do_not_import_the_product(file: Path) -> None:
    assert not [name for name in _imports(file) if _below(name, FORBIDDEN) and not _below(name, ALLOWED)]


def test_cursors_are_parsed_as_the_protocol_describes() -> None:
    cursor = parse("3f9a2b1c0d.790.794.0-2.1234.9f86d081")
    assert (cursor.feed, cursor.xmin, cursor.xmax, cursor.xip) == ("3f9a2b1c0d", 790, 794, frozenset({790, 792}))
    assert [cursor.covers_xid(xid) for xid in range(789, 795)] == [True, False, True, False, True, False]
    assert parse("f.792.794.0.1.0").covers(cursor)
    assert not cursor.covers(parse("f.792.794.0.1.0"))


def test_hashes_are_computed_as_the_protocol_describes() -> None:
    assert f"{row_hash('o1', 1):08x}" == "cb7105ea"
    assert f"{row_hash('ação', 7):08x}" == "7884ccf5"
    assert board_hash([("o2", 1), ("o1", 1)]) == "47ff1cbc"
    assert board_hash([]) == "00000000"
