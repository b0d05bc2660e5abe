"""The layout that people know: what lies at the root, and that each room says what it is for."""

import ast
import subprocess

import pytest

from config.settings import ROOT

ROOMS = (
    "service", "dashboards", "pipeline", "analysis", "collectors", "data_quality", "store", "access", "wording",
    "metrics", "config", "simulator",
)  # fmt: skip
FILES = ("app.py", "watchfloor", "Makefile", "README.md", "CHANGELOG.md", "requirements.txt", "requirements-dev.txt")
OTHERS = ("assets", "bench", "deploy", "docs", "examples", "tests")


def tracked() -> set[str]:
    """What lies at the root: the first part of every file that is kept in the repository."""
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return {path.split("/", 1)[0] for path in told.split("\0") if path and not path.startswith(".")}


def test_what_people_look_for_lies_at_the_root() -> None:
    assert tracked() >= {*ROOMS, *FILES, *OTHERS}


def test_nothing_else_that_runs_lies_at_the_root() -> None:
    assert {name for name in tracked() if name.endswith(".py")} == {"app.py"}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= {*ROOMS, *OTHERS}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for(room: str) -> None:
    told = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8")))
    assert told


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_its_line_in_the_architecture(room: str) -> None:
    assert f"| `{room}/` |" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_turn_is_a_story_on_one_screen() -> None:
    lines = (ROOT / "pipeline" / "flow" / "turn.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 60
