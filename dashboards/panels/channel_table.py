"""The channels of a place as a table: volume, queue, speed and quality, a row each.

A channel without people has no queue: its cells show the dash, and say that it does not deliver the figure.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html

from config.catalogue import Catalogue, Channel, Metric
from dashboards.panels.elements import chart, part, section
from dashboards.panels.reading_text import chosen, is_late, time_of
from dashboards.panels.sparkline import sparkline
from dashboards.panels.target_scale import target_position
from dashboards.view_readings import ViewFigures
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import Reading
from wording.words import DASH, Words

COLUMNS = ("contacts", "offered", "queue_length", "longest_wait", "asa", "service_level_20s", "csat")
BARRED = "service_level_20s"
"""The column that has a bar, and by which a row's state and trend are told."""
TRENDS = (BARRED, "answer_rate", "self_service_share", "contacts")
"""Metrics whose trend stands for a channel: the first that it has."""
Readings = Sequence[tuple[Metric, Reading | None]]
"""The figures of one row, in the order of the columns."""


@dataclass(frozen=True)
class ChannelTable:
    """The channels in the scope."""

    trends: bool = True
    """Whether there is a column of trends, which only the nation's channels have."""

    def needs(self, context: Context) -> Needs:
        """The columns in the scope, by channel."""
        names = COLUMNS + TRENDS if self.trends else COLUMNS
        return Needs(tuple(metric.id for metric in chosen(context.catalogue, names)), (context.view.scope,))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """A row a channel."""
        words = context.words
        return [section("channels", words("channels.title"), _table(context.catalogue, words, self.trends))]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """What every row shows."""
        figures, region = data.figures, context.view.scope
        metrics, candidates = chosen(context.catalogue, COLUMNS), chosen(context.catalogue, TRENDS)
        parts: dict[str, dict[str, Any]] = {}
        for channel in context.catalogue.channels.values():
            readings = [(metric, figures.reading(metric.id, region, channel.id)) for metric in metrics]
            parts[f"channel-{channel.id}"] = _row_parts(readings, figures, context.words)
            if self.trends:
                parts |= _trend_parts(channel, candidates, figures, region, context.words)
        return parts


def _trend_parts(
    channel: Channel, candidates: Sequence[Metric], figures: ViewFigures, region: str, words: Words
) -> dict[str, dict[str, Any]]:
    metric = next((metric for metric in candidates if any(figures.trend(metric.id, region, channel.id))), None)
    drawn = sparkline(figures.trend(metric.id, region, channel.id), metric) if metric else None
    return {f"channel-spark-{channel.id}": {"chart": drawn, "@title": words.of(metric.name) if metric else None}}


def _table(catalogue: Catalogue, words: Words, trends: bool) -> html.Table:
    metrics = chosen(catalogue, COLUMNS)
    heads = [html.Th(words("table.channel"), scope="col", className="column-channel")]
    heads += [
        html.Th(words.of(metric.short), scope="col", title=words.of(metric.meaning), className=f"column-{metric.id}")
        for metric in metrics
    ]
    heads += [html.Th(words("table.trend"), scope="col", className="column-trend")] if trends else []
    heads += [html.Th(words("table.state"), scope="col", className="column-state")]
    rows = [_row(channel, metrics, words, trends) for channel in catalogue.channels.values()]
    return html.Table([html.Thead(html.Tr(heads)), html.Tbody(rows)], className="table channels")


def _row(channel: Channel, metrics: list[Metric], words: Words, trends: bool) -> html.Tr:
    name = html.Th(
        [html.I(className="swatch", style={"background": channel.colour}), words.of(channel.short)],
        scope="row",
        title=words.of(channel.name),
    )
    cells = [_cell(metric) for metric in metrics]
    spark = chart(f"channel-spark-{channel.id}", "spark")
    cells += [html.Td(spark, className="column-trend")] if trends else []
    cells += [html.Td([part("state"), part("trust")], className="column-state")]
    return html.Tr([name, *cells], id=f"channel-{channel.id}")


def _cell(metric: Metric) -> Any:
    if metric.id != BARRED:
        return part(metric.id, html.Td)
    bar = html.Div(html.I(className="bar-fill"), className="bar")
    return html.Td(html.Div([bar, part(metric.id)], className="barred"), className="column-barred")


def _row_parts(readings: Readings, figures: ViewFigures, words: Words) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for metric, reading in readings:
        value = reading.value if reading else None
        shown[f".{metric.id}"] = str(words.value(metric, value))
        shown[f".{metric.id}@title"] = _why(metric, reading, words) if value is None else None
        shown[f".{metric.id}@data-state"] = reading.state.value if reading else "no_value"
    return shown | _judgement(readings, words) | _trust(readings, figures, words)


def _judgement(readings: Readings, words: Words) -> dict[str, Any]:
    """State of a row and place of its bar: those of the barred figure, where the channel has it."""
    for metric, reading in readings:
        if metric.id == BARRED and reading is not None:
            place = target_position(metric, reading.value)
            at = None if place is None else f"{place * 100:.1f}%"
            return {"@data-state": reading.state.value, ".state": words(f"state.{reading.state}"), "--at": at}
    state = "no_target" if any(reading for _, reading in readings) else "no_value"
    return {"@data-state": state, ".state": words(f"state.{state}"), "--at": None}


def _trust(readings: Readings, figures: ViewFigures, words: Words) -> dict[str, Any]:
    """The trust of a row: its least reliable figure, with the age when that is late."""
    present = [(metric, reading) for metric, reading in readings if reading]
    if not present:
        none = words("trust_mark.none")
        return {"@data-trust": "none", "@data-late": None, ".trust": none, ".trust@title": words("tile.not_delivered")}
    metric, worst = max(present, key=lambda pair: (pair[1].trust.rank, -(pair[1].at or figures.at).timestamp()))
    late = is_late(metric, worst, figures.at, words.catalogue)
    return {
        "@data-trust": worst.trust.value,
        "@data-late": "" if late else None,
        ".trust": time_of(metric, worst, figures.at, words) if late else words(f"trust_mark.{worst.trust}"),
        ".trust@title": words.told(worst.reason) or None,
    }


def _why(metric: Metric, reading: Reading | None, words: Words) -> str:
    """Why there is a dash."""
    if reading is None:
        return words("tile.not_delivered")
    if reading.reason:
        return words.told(reading.reason)
    return words("state.no_value_why", metric=words.of(metric.name), dash=DASH)
