"""The glossary names each noun once, in both languages, and no place that is not there."""

import re

from config.settings import ROOT

LINES = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if line.startswith("|")]
TERMS = [row for row in ROWS if row[0] != "term" and set(row[0]) != {"-"}]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_there_are_terms() -> None:
    assert len(TERMS) > 60


def test_each_term_stands_once() -> None:
    names = [name.strip() for term, _, _ in TERMS for name in term.split(",")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_each_term_has_its_chinese_and_its_meaning() -> None:
    assert [term for term, chinese, meaning in TERMS if not CHINESE.search(chinese) or not meaning] == []


def test_each_place_that_is_named_is_there() -> None:
    named = {place for _, _, meaning in TERMS for place in re.findall(r"`([a-z_]+/[^`<]*)`", meaning)}
    assert len(named) > 8
    assert sorted(place for place in named if not (ROOT / place).exists()) == []
