"""What the quality window shows: sources, scores as heat maps, and open findings.

A heat map is a table: its cells say their score in digits, and a score that rests on too little is
hatched and says that it is not rated, because colour alone tells nobody anything.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isnan
from typing import Any

import pandas as pd
from dash import html

from config.catalogue import Catalogue, Level
from dashboards.panels.elements import part
from dashboards.panels.view_readings import known, moment
from metrics.findings import CheckState, Finding
from metrics.readings import Snapshot
from wording.sentences import sentence
from wording.words import DASH, Words

DIMENSIONS = ("total", "completeness", "accuracy", "timeliness", "authenticity")
RATED = 0.95
"""Coverage below which a score is not rated."""
SOURCE_STATE = {"sound": "good", "stale": "warning", "doubtful": "warning", "absent": "critical"}
SEVERITY_STATE = {"blocker": "critical", "major": "warning", "minor": "no_target"}
SOURCE_COLUMNS = ("state", "last", "lag", "findings", "bad", "error")
Parts = dict[str, dict[str, Any]]


def source_table(catalogue: Catalogue, words: Words) -> html.Table:
    """The frame of the table of sources."""
    heads = [
        html.Th(words(f"sources.{name}"), scope="col", className=f"column-{name}")
        for name in ("source", *SOURCE_COLUMNS)
    ]
    names = source_rows(catalogue, words)
    rows = [
        html.Tr(
            [
                html.Th([names[f"{channel.id}/{source.id}"], html.Small(source.kind)], scope="row"),
                *(part(name, html.Td) for name in SOURCE_COLUMNS),
            ],
            id=f"source-{channel.id}-{source.id}",
        )
        for channel in catalogue.channels.values()
        for source in channel.sources
    ]
    return html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="table sources")


def source_table_parts(snapshot: Snapshot, catalogue: Catalogue, words: Words) -> Parts:
    """State, last success, lag, open findings and error of every source."""
    rows = {(row.channel, row.source): row for row in snapshot.sources.itertuples()}
    told = _open_findings(snapshot.findings)
    return {
        f"source-{channel.id}-{source.id}": _source_parts(
            rows.get((channel.id, source.id)),
            [*told[channel.id, source.id], *told[channel.id, ""]],
            snapshot.at,
            words,
        )
        for channel in catalogue.channels.values()
        for source in channel.sources
    }


def heat_map(rows: Mapping[str, str], kind: str, words: Words) -> html.Table:
    """The frame of a table of scores: a row a key with its name, a column a dimension."""
    heads = [html.Th("", scope="col")]
    heads += [html.Th(words(f"score.{dimension}"), scope="col") for dimension in DIMENSIONS]
    body = [
        html.Tr(
            [html.Th(name, scope="row"), *(part(dimension, html.Td) for dimension in DIMENSIONS)],
            id=score_id(kind, key),
        )
        for key, name in rows.items()
    ]
    return html.Table([html.Thead(html.Tr(heads)), html.Tbody(body)], className=f"table heat heat-{kind}")


def heat_map_parts(scores: pd.DataFrame, rows: Sequence[str], kind: str, words: Words) -> Parts:
    """Score of every cell, with its coverage where it is not rated."""
    chosen = scores[(scores["kind"] == kind) & scores["key"].isin(rows)]
    cells = {
        (key, dimension): (known(score), coverage)
        for key, dimension, score, coverage in zip(
            *(chosen[name].tolist() for name in ("key", "dimension", "score", "coverage")), strict=True
        )
    }
    parts: Parts = {}
    for key in rows:
        shown: dict[str, Any] = {}
        for dimension in DIMENSIONS:
            shown |= _cell(dimension, *cells.get((key, dimension), (None, 0.0)), words)
        parts[score_id(kind, key)] = shown
    return parts


def score_id(kind: str, key: str) -> str:
    """Element id of a row of scores."""
    return f"score-{kind}-{key}"


def finding_list(places: int) -> html.Div:
    """The frame of the list of open findings, with audience for some and a count of the rest."""
    items = [
        html.Li(
            [part("rule", html.B), part("told"), part("name"), part("age")],
            id=f"finding-{place}",
            className="finding",
            hidden=True,
        )
        for place in range(places)
    ]
    return html.Div([html.Ol(items, className="finding-list"), html.P(id="findings-more", className="more")])


def finding_list_parts(findings: pd.DataFrame, places: int, now: datetime, words: Words) -> Parts:
    """The worst open findings as sentences, and how many there are besides."""
    rows = list(findings.itertuples())
    more = len(rows) - places
    none = "" if rows else words("findings.none")
    parts: Parts = {"findings-more": {"text": words("findings.more", n=more) if more > 0 else none}}
    for place in range(places):
        parts[f"finding-{place}"] = _finding_parts(rows[place] if place < len(rows) else None, now, words)
    return parts


def touching(findings: pd.DataFrame, regions: Sequence[str]) -> pd.DataFrame:
    """Findings of these regions, and those that touch every region because they name none."""
    return findings[findings["region"].isin(["", *regions])]


def province_rows(catalogue: Catalogue, words: Words) -> dict[str, str]:
    """The provinces that have scores, with their names."""
    return {code: words.name(code) for code in catalogue.at_level(Level.PROVINCE)}


def source_rows(catalogue: Catalogue, words: Words) -> dict[str, str]:
    """The sources that have scores, with their names."""
    rows = {}
    for channel in catalogue.channels.values():
        for source in channel.sources:
            name = words.of(channel.short)
            rows[f"{channel.id}/{source.id}"] = name if len(channel.sources) == 1 else f"{name} · {source.id}"
    return rows


def _open_findings(findings: pd.DataFrame) -> Mapping[tuple[str, str], list[int]]:
    """By channel and source ('': the whole channel), for each open finding the units that it touches."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for channel, source, bad in zip(*(findings[name].tolist() for name in ("channel", "source", "bad")), strict=True):
        found[channel, source].append(int(bad))
    return found


def _source_parts(row: Any, findings: list[int], now: datetime, words: Words) -> dict[str, Any]:
    state = row.state if row else "absent"
    last = moment(row.last_success) if row else None
    error = words.fault(row.error) if row and row.error else ""
    return {
        "@data-state": SOURCE_STATE.get(state, "no_value"),
        ".state": words(f"source.{state}"),
        ".last": words.age(last, now),
        ".lag": str(words.span(known(row.lag_s))) if row else DASH,
        ".findings": str(words.count(len(findings))),
        ".bad": str(words.count(sum(findings))),
        ".error": error,
        ".error@title": error or None,
    }


def _cell(dimension: str, score: float | None, coverage: float, words: Words) -> dict[str, Any]:
    if isnan(coverage):
        return {
            f".{dimension}": words("score.no_rules"),
            f".{dimension}@data-band": "none",
            f".{dimension}@title": words("score.no_rules_why"),
        }
    rated = score is not None and coverage >= RATED
    return {
        f".{dimension}": words.score(score) if rated and score is not None else words("score.not_rated"),
        f".{dimension}@data-band": _band(score or 0.0) if rated else "none",
        f".{dimension}@title": words("score.coverage", coverage=words.share(coverage)),
    }


def _band(score: float) -> str:
    """The four bands in which scores are shown, from excellent to poor."""
    for least, band in ((95.0, "1"), (85.0, "2"), (70.0, "3")):
        if score >= least:
            return band
    return "4"


def _finding_parts(row: Any, now: datetime, words: Words) -> dict[str, Any]:
    if row is None:
        return {"@hidden": "", "@data-state": None} | {f".{name}": "" for name in ("rule", "told", "name", "age")}
    return {
        "@hidden": None,
        "@data-state": SEVERITY_STATE.get(row.severity, "no_target"),
        ".rule": row.rule,
        ".told": _told(row, words),
        ".name": words.told(f"rule.{row.rule}"),
        ".age": words.age(moment(row.since), now),
    }


def _told(row: Any, words: Words) -> str:
    """What a finding says; only its rule's name where a fact that the sentence needs was not kept."""
    finding = Finding(
        row.rule, CheckState(row.state), row.channel, row.source, row.region, row.measure, moment(row.since),
        bad=int(row.bad), expected=int(row.expected), facts=json.loads(row.facts or "{}"),
    )  # fmt: skip
    try:
        return sentence(finding, words.catalogue, words.language)
    except KeyError:
        return words.told(f"rule.{row.rule}")
