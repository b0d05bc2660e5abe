"""Write docs/rules.md from the rules themselves: `python -m data_quality.document`, with `--check` only compare."""

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

import data_quality.rules  # noqa: F401  (registers the rules)
from config.catalogue import RuleBook, RuleSetting
from data_quality.registry import Dimension, RecordedRule, Rule, every_rule, in_order

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rules.md"
EXAMPLES = Path(__file__).parent / "examples"

WITHOUT = """
{names}: no rules in this book, so neither score nor coverage; the total and its coverage are of the other dimensions.
"""
HEAD = """
# Rules of the audit, book {version}

Made from the rules by `python -m data_quality.document`; do not edit. Severities and limits are in
`config/rules.yaml`, names and sentences in `config/words/rules.yaml`.

A hard rule that fails must be corrected (FAIL); a soft one may stand with an explanation (QUERY). ERROR (could not run)
and BLOCKED (its input has failed already) never count as passed; NA is nothing to look at. What has failed at one stage
is not judged again at a later one: one trouble is one root issue, and names what it blocks. A rule that is recorded
when it happens is about what was never counted, so that no grid of figures can show it; it belongs to no stage.

{without}"""


def page(book: RuleBook, names: dict[str, dict[str, str]]) -> str:
    """The whole page."""
    lines = [line for dimension in Dimension for line in _dimension(dimension, book, names)]
    return "\n".join([HEAD.format(version=book.version, without=_without_rules()).strip(), *lines])


def _without_rules() -> str:
    """What the page says of dimensions that have no rules."""
    ruled = {rule.dimension for rule in in_order()}
    names = " and ".join(one.value for one in Dimension if one not in ruled).capitalize()
    return names and WITHOUT.format(names=names).lstrip()


def _dimension(dimension: Dimension, book: RuleBook, names: dict[str, dict[str, str]]) -> Iterator[str]:
    rules = [rule for rule in every_rule() if rule.dimension is dimension]
    if rules:
        yield from ("", f"## {dimension.value.capitalize()}")
    for rule in sorted(rules, key=lambda one: one.id):
        yield from _rule(rule, book.rules[rule.id], names[f"rule.{rule.id}"])


def _rule(rule: Rule | RecordedRule, setting: RuleSetting, name: dict[str, str]) -> Iterator[str]:
    limits = ", ".join(f"{limit} {value:g}" for limit, value in setting.limits.items())
    hardness = "hard" if rule.hard else "soft"
    yield from ("", f"### {rule.id} {name['en']} ({name['zh']})", "")
    stage = f"stage {rule.stage.value.replace('_', '-')}" if isinstance(rule, Rule) else "recorded when it happens"
    yield " · ".join(part for part in (hardness, setting.severity, stage, limits) if part)
    yield from ("", inspect.cleandoc(rule.check.__doc__ or ""), "")
    for file in sorted((EXAMPLES / rule.id).glob("*.yaml")):
        example = yaml.safe_load(file.read_text(encoding="utf-8"))
        states = ", ".join(dict.fromkeys(one["state"] for one in example["expect"]))
        yield f"- {states}: {example['about']}"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or say that it is out of step."""
    parser = argparse.ArgumentParser(prog="python -m data_quality.document", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the page is out of step")
    asked = parser.parse_args(arguments)
    book = RuleBook.model_validate(yaml.safe_load((ROOT / "config" / "rules.yaml").read_text(encoding="utf-8")))
    names = yaml.safe_load((ROOT / "config" / "words" / "rules.yaml").read_text(encoding="utf-8"))
    text = page(book, names) + "\n"
    if not asked.check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write("docs/rules.md is out of step with the rules; run: python -m data_quality.document\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
