"""No text shown to people stands in code, and every key that code names has words in both languages."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
import yaml

from config.settings import ROOT
from metrics.readings import State, Trust
from metrics.states import URGENT
from tests.support.shown_windows import catalogue

MODULES = sorted(path for room in ("dashboards", "wording") for path in (ROOT / room).rglob("*.py"))
CJK = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
KEY = re.compile(r"^[a-z_]+(\.[a-z0-9_-]+)+$")


def strings(path: Path) -> list[tuple[int, str]]:
    """Every string of a module but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    ]


def called_keys(path: Path) -> set[str]:
    """Keys written out in calls `words("…")` and `self("…")`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in ("words", "self")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_the_modules_were_found() -> None:
    assert len(MODULES) > 15


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_chinese_stands_in_code(path: Path) -> None:
    assert [text for text in strings(path) if CJK.search(text[1])] == []


def test_every_key_that_code_names_has_words() -> None:
    keys = set().union(*map(called_keys, MODULES))
    assert len(keys) > 60
    assert keys - catalogue().words.keys() == set()


def test_every_state_has_words() -> None:
    keys = {f"state.{state}" for state in State} | {f"trust_mark.{trust}" for trust in Trust}
    keys |= {f"source.{state}" for state in ("sound", "stale", "doubtful", "absent")}
    keys |= {f"verdict.{state}" for state in ("good", "none", *URGENT)}
    keys |= {f"unit.{metric.unit}" for metric in catalogue().metrics.values()}
    assert keys - catalogue().words.keys() == set()


def test_both_languages_fill_the_same_places() -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    differing = [key for key, text in catalogue().words.items() if places(text.zh) != places(text.en)]
    assert differing == []


def test_words_of_the_windows_are_used() -> None:
    """A key that nothing names is a leftover; families that data choose from are named by their first word."""
    chosen = (
        "state",
        "trust",
        "trust_mark",
        "source",
        "verdict",
        "change",
        "target",
        "stage",
        "sources",
        "score",
        "summary",
        "flow.short",
    )
    used = {text for path in MODULES for _, text in strings(path) if KEY.match(text)}
    for name in ("windows", "states"):
        keys = yaml.safe_load((ROOT / "config" / "words" / f"{name}.yaml").read_text(encoding="utf-8"))
        left = [key for key in keys if key not in used and not key.startswith(tuple(f"{family}." for family in chosen))]
        assert left == [], name
