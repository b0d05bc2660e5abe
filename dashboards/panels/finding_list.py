"""The open findings of a scope as sentences, worst first, and how many there are besides."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from dash import html

from config.catalogue import NATION
from dashboards.panels.elements import part, section
from dashboards.view_readings import moment
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.findings import CheckState, Finding
from metrics.readings import FINDINGS
from wording.sentences import sentence
from wording.words import Words

SEVERITY_STATE = {"blocker": "critical", "major": "warning", "minor": "no_target"}


@dataclass(frozen=True)
class FindingList:
    """The open findings that touch the scope."""

    shown: int
    """Findings for which the page has a place."""

    def needs(self, context: Context) -> Needs:
        """The open findings."""
        return Needs(frames=(FINDINGS.name,))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """Places for the worst, and for the count of the rest."""
        words = context.words
        items = [
            html.Li(
                [part("rule", html.B), part("told"), part("name"), part("age")],
                id=f"finding-{place}",
                className="finding",
                hidden=True,
            )
            for place in range(self.shown)
        ]
        more = html.P(id="findings-more", className="more")
        content = html.Div([html.Ol(items, className="finding-list"), more])
        return [section("findings", words("findings.title"), content)]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """The worst, and how many there are besides."""
        words, scope = context.words, context.view.scope
        findings = data.frames[FINDINGS.name]
        rows = list((findings if scope == NATION else _touching(findings, context.catalogue.below(scope))).itertuples())
        more = len(rows) - self.shown
        none = "" if rows else words("findings.none")
        parts: dict[str, dict[str, Any]] = {
            "findings-more": {"text": words("findings.more", n=more) if more > 0 else none}
        }
        for place in range(self.shown):
            parts[f"finding-{place}"] = _finding_parts(rows[place] if place < len(rows) else None, data.at, words)
        return parts


def _touching(findings: pd.DataFrame, regions: Sequence[str]) -> pd.DataFrame:
    """Findings of these regions, and those that touch every region because they name none."""
    return findings[findings["region"].isin(["", *regions])]


def _finding_parts(row: Any, now: datetime, words: Words) -> dict[str, Any]:
    if row is None:
        return {"@hidden": "", "@data-state": None} | {f".{name}": "" for name in ("rule", "told", "name", "age")}
    return {
        "@hidden": None,
        "@data-state": SEVERITY_STATE.get(row.severity, "no_target"),
        ".rule": row.rule,
        ".told": _sentence(row, words),
        ".name": words.told(f"rule.{row.rule}"),
        ".age": words.age(moment(row.since), now),
    }


def _sentence(row: Any, words: Words) -> str:
    """What a finding says; only its rule's name where a fact that the sentence needs was not kept."""
    finding = Finding(
        row.rule, CheckState(row.state), row.channel, row.source, row.region, row.measure, moment(row.since),
        bad=int(row.bad), expected=int(row.expected), facts=json.loads(row.facts or "{}"),
    )  # fmt: skip
    try:
        return sentence(finding, words.catalogue, words.language)
    except KeyError:
        return words.told(f"rule.{row.rule}")
