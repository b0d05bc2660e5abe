"""Findings as sentences; and that nothing is without words."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import pytest
import yaml

from config.catalogue import Text
from config.settings import ROOT
from data_quality import audit
from data_quality.document import main
from data_quality.registry import RECORDED, RULES
from metrics.findings import CheckState, Finding
from tests.support.example_world import EXAMPLES, evidence, world
from wording.sentences import sentence

CATALOGUE = world()
TOLD = {
    "CP-01/fail": "hotline, desk: nothing came for 1 of 2 intervals since 2026-03-02 10:01;"
    " the answer did not come in time",
    "CP-02/fail": "hotline, acd, Hebei: 2 of 4 figures of count, count are missing since 2026-03-02 10:00 (Tangshan)",
    "AC-05/fail": "hotline, acd, Hebei: 1 of 1 totals of count differ from the sum of their parts"
    " since 2026-03-02 10:00 (Hebei: reported 90, parts 60)",
    "TY-01/fail": "hotline, acd: 2 of 10 records could not be counted: this is not a number (lines 3, 9)",
}


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_finding_says_what_where_since_when_and_how_many(name: str) -> None:
    example = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    found = audit(evidence(example, CATALOGUE))
    told = [sentence(one, CATALOGUE, "en") for one in found if one.rule == name[:5] and one.state is CheckState.FAIL]
    assert TOLD[name] in told


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_finding_of_every_example_can_be_said(language: Literal["zh", "en"]) -> None:
    said = 0
    for file in EXAMPLES.glob("*/*.yaml"):
        if file.parent.name in RECORDED:
            continue
        example = yaml.safe_load(file.read_text(encoding="utf-8"))
        for finding in audit(evidence(example, CATALOGUE)):
            text = sentence(finding, CATALOGUE, language)
            assert "{" not in text
            said += 1
    assert said > 500


def test_rows_are_told_in_the_channels_own_words() -> None:
    acd = CATALOGUE.channels["hotline"].sources[0]
    expected = {
        "rule": "AC-01",
        "column": "wait",
        "must": "be_between",
        "low": 0,
        "say": Text(zh="等待为负", en="wait < 0"),
    }
    source = acd.model_validate(acd.model_dump() | {"expects": [expected]})
    channel = CATALOGUE.channels["hotline"].model_copy(update={"sources": (source,)})
    catalogue = CATALOGUE.model_copy(update={"channels": {"hotline": channel}})
    rows = tuple({"line": line, "column": "wait", "value": -1.0} for line in (3, 8, 9, 12))
    finding = Finding("AC-01", CheckState.FAIL, "hotline", "acd", "", "wait", bad=4, expected=1200, rows=rows)
    assert sentence(finding, catalogue, "zh") == "热线 · acd：1,200行中有4行等待为负（行号 3、8、9等4个）"


def test_every_rule_has_a_name_and_a_sentence() -> None:
    missing = [key for rule in RULES for key in (f"rule.{rule}", f"finding.{rule}") if key not in CATALOGUE.words]
    assert missing == []


def test_every_code_of_a_collector_has_words() -> None:
    missing = sorted(key for key in codes() if key not in CATALOGUE.words)
    assert missing == []


def codes() -> Iterator[str]:
    """Words keys of the codes that stand as literals in the collectors: after a rule's id, or first in a fault."""
    found = 0
    for file in (ROOT / "collectors").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if ast.unparse(node.func) in ("SourceFault", "Passing") and node.args:
                keys = [f"fault.{code}" for code in literals(node.args[0])]
            else:
                after = [code for rule, code in pairwise(node.args) if any(map(is_rule, literals(rule)))]
                said = [code for one in after for code in literals(one)]
                keys = [f"{family}.{code}" for code in said for family in ("reject", "mend")]
            found += len(keys)
            yield from keys
    assert found > 50


def literals(node: ast.expr) -> list[str]:
    """The texts that an argument may be, as far as they stand there."""
    choices = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return [one.value for one in choices if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def is_rule(text: str) -> bool:
    return re.fullmatch(r"[A-Z]{2}-[0-9]{2}", text) is not None


def test_the_page_of_rules_is_in_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_out_of_step_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_quality.document.PAGE", ROOT / "docs" / "no_such_page.md")
    assert main(["--check"]) == 1
