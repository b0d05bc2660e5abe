"""Every source of figures: whether it can be relied on, when it last answered, and what is open about it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from dash import html

from dashboards.panels.elements import part, section
from dashboards.panels.source_names import source_names
from dashboards.view_readings import known, moment
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import FINDINGS, SOURCES
from wording.words import DASH, Words

COLUMNS = ("state", "last", "lag", "findings", "bad", "error")
SOURCE_STATE = {"sound": "good", "stale": "warning", "doubtful": "warning", "absent": "critical"}


@dataclass(frozen=True)
class SourceTable:
    """State, last success, lag, open findings and error of every source."""

    def needs(self, context: Context) -> Needs:
        """Where the sources stand, and what is open about them."""
        return Needs(frames=(SOURCES.name, FINDINGS.name))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """A row a source."""
        words, names = context.words, source_names(context.catalogue, context.words)
        heads = [
            html.Th(words(f"sources.{name}"), scope="col", className=f"column-{name}") for name in ("source", *COLUMNS)
        ]
        rows = [
            html.Tr(
                [
                    html.Th([names[f"{channel.id}/{source.id}"], html.Small(source.kind)], scope="row"),
                    *(part(name, html.Td) for name in COLUMNS),
                ],
                id=f"source-{channel.id}-{source.id}",
            )
            for channel in context.catalogue.channels.values()
            for source in channel.sources
        ]
        table = html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="table sources")
        return [section("sources", words("sources.title"), table)]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """Every row."""
        rows = {(row.channel, row.source): row for row in data.frames[SOURCES.name].itertuples()}
        bad = _bad_units(data.frames[FINDINGS.name])
        return {
            f"source-{channel.id}-{source.id}": _row_parts(
                rows.get((channel.id, source.id)),
                [*bad[channel.id, source.id], *bad[channel.id, ""]],
                data.at,
                context.words,
            )
            for channel in context.catalogue.channels.values()
            for source in channel.sources
        }


def _bad_units(findings: pd.DataFrame) -> Mapping[tuple[str, str], list[int]]:
    """By channel and source ('': the whole channel), for each open finding the units that it touches."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for channel, source, bad in zip(*(findings[name].tolist() for name in ("channel", "source", "bad")), strict=True):
        found[channel, source].append(int(bad))
    return found


def _row_parts(row: Any, bad: list[int], now: datetime, words: Words) -> dict[str, Any]:
    state = row.state if row else "absent"
    last = moment(row.last_success) if row else None
    error = words.fault(row.error) if row and row.error else ""
    return {
        "@data-state": SOURCE_STATE.get(state, "no_value"),
        ".state": words(f"source.{state}"),
        ".last": words.age(last, now),
        ".lag": str(words.span(known(row.lag_s))) if row else DASH,
        ".findings": str(words.count(len(bad))),
        ".bad": str(words.count(sum(bad))),
        ".error": error,
        ".error@title": error or None,
    }
