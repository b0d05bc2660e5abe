"""Every rule keeps the promise of its examples, and no rule is without them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_quality import audit
from data_quality.registry import RECORDED, RULES, Sight, Verdict
from data_quality.row_checks import row_findings
from metrics.findings import CheckState, Finding
from tests.support.example_world import EXAMPLES, evidence, world

CATALOGUE = world()
FILES = sorted(file for file in EXAMPLES.glob("*/*.yaml") if file.parent.name not in RECORDED)
"""Those of the rules that the audit asks; the others have a test of their own."""
UNSEEN = {CheckState.NA, CheckState.BLOCKED}


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def states_in(file: Path) -> set[CheckState]:
    return {CheckState(one["state"]) for one in read(file)["expect"]}


def expected_states(rule: str) -> list[set[CheckState]]:
    return [states_in(file) for file in FILES if file.parent.name == rule]


def agrees(finding: Finding, wanted: Mapping[str, Any]) -> bool:
    for name, value in wanted.items():
        if name == "facts":
            if not value.items() <= dict(finding.facts).items():
                return False
        elif name == "rows":
            if len(finding.rows) != value:
                return False
        elif getattr(finding, name) != value:
            return False
    return True


def test_there_are_examples() -> None:
    assert len(FILES) >= 3 * len(RULES) > 0


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_has_one_that_passes_one_that_fails_and_one_that_cannot_see(rule: str) -> None:
    states = expected_states(rule)
    assert any(one == {CheckState.PASS} for one in states), f"{rule}: no example passes"
    assert any(CheckState.FAIL in one for one in states), f"{rule}: no example fails"
    assert any(one and one <= UNSEEN for one in states), f"{rule}: no example in which it cannot see"


def test_every_example_is_of_a_rule() -> None:
    assert {file.parent.name for file in FILES} == set(RULES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_findings_are_those_of_the_example(file: Path) -> None:
    example = read(file)
    found = [one for one in audit(evidence(example, CATALOGUE)) if one.rule == file.parent.name]
    for wanted in example["expect"]:
        assert any(agrees(one, wanted) for one in found), f"not found: {wanted}\nbut: " + "\n".join(map(str, found))
    untold = [one for one in found if not any(agrees(one, wanted) for wanted in example["expect"])]
    assert all(one.state is CheckState.PASS for one in untold), "not in the example: " + "\n".join(map(str, untold))


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_examples_notice_a_rule_that_finds_nothing_wrong(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = RULES[rule]

    def blind(sight: Sight) -> Iterator[Verdict]:
        yield from (replace(verdict, bad=verdict.bad * 0) for verdict in honest.check(sight))

    def blind_to_rows(*given: Any) -> Iterator[Finding]:
        for one in row_findings(*given):
            yield one._replace(state=CheckState.PASS, bad=0, rows=(), facts={}) if one.rule == rule else one

    monkeypatch.setitem(audit.__globals__, "row_findings", blind_to_rows)
    monkeypatch.setitem(RULES, rule, replace(honest, check=blind))
    failing = [file for file in FILES if file.parent.name == rule and CheckState.FAIL in states_in(file)]
    for file in failing:
        with pytest.raises(AssertionError):
            test_findings_are_those_of_the_example(file)
    assert failing
