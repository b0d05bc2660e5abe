"""Collectors get their folder and their secrets handed in: none reads the environment or the settings by itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import ROOT

FILES = sorted((ROOT / "collectors").rglob("*.py"))
FORBIDDEN = {"os.environ", "os.getenv", "os.environb", "config.settings"}


def taken(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a module imports, or reads off what it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_collector_reads_the_environment_or_the_settings(path: Path) -> None:
    assert FORBIDDEN.isdisjoint(taken(ast.parse(path.read_text(encoding="utf-8"))))


def test_what_is_looked_for_would_be_found() -> None:
    for text in ("import os\nos.environ['A']", "from os import getenv", "from config.settings import Settings"):
        assert not FORBIDDEN.isdisjoint(taken(ast.parse(text))), text


def test_no_kind_is_named_outside_its_folder() -> None:
    """What a kind of source needs from the rest is asked of all kinds alike; only the demo pushes, and knows where."""
    kinds = {path.parent.name for path in (ROOT / "collectors").glob("*/__init__.py")} - {"shared"}
    rooms = [path for room in ("pipeline", "service", "analysis", "dashboards") for path in (ROOT / room).rglob("*.py")]
    rooms.remove(ROOT / "service" / "roles.py")
    named = {
        f"{path.relative_to(ROOT)}: {node.value}"
        for path in rooms
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in kinds
    }
    imported = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in rooms
        for name in taken(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith("collectors.") and name.split(".")[1] in kinds
    }
    assert named | imported == set()
