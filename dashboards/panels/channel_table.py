"""The channels of a place as a table: volume, queue, speed and quality, a row each.

A channel without people has no queue: its cells show the dash, and say that it does not deliver the figure.
"""

from collections.abc import Sequence
from typing import Any

from dash import html

from config.catalogue import Catalogue, Channel, Metric
from dashboards.panels.elements import chart, part
from dashboards.panels.sparkline import sparkline
from dashboards.panels.target_scale import target_position
from dashboards.panels.tiles import chosen, is_late, time_of
from dashboards.panels.view_readings import ViewFigures
from metrics.readings import Reading, Trust
from wording.words import DASH, Words

COLUMNS = ("contacts", "offered", "queue_length", "longest_wait", "asa", "service_level_20s", "csat")
BARRED = "service_level_20s"
"""The column that has a bar, and by which a row's state and trend are told."""
DOUBT = (Trust.SOUND, Trust.PROVISIONAL, Trust.DOUBTFUL, Trust.STALE, Trust.ABSENT)
"""From the most to the least reliable: a row is as good as its worst figure."""
Readings = Sequence[tuple[Metric, Reading | None]]
"""The figures of one row, in the order of the columns."""


def channel_table(catalogue: Catalogue, words: Words, trends: bool = True) -> html.Table:
    """The frame of the table; `trends` leaves audience for a trend, which only the nation's channels have."""
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


def channel_table_parts(
    sheet: ViewFigures, region: str, catalogue: Catalogue, words: Words, trends: bool = True
) -> dict[str, dict[str, Any]]:
    """What every row shows."""
    metrics = chosen(catalogue, COLUMNS)
    parts: dict[str, dict[str, Any]] = {}
    for channel in catalogue.channels.values():
        readings = [(metric, sheet.reading(metric.id, region, channel.id)) for metric in metrics]
        row = _row_parts(readings, sheet, words)
        parts[f"channel-{channel.id}"] = row
        if trends:
            told = next(
                (metric for metric in _tellers(catalogue) if any(sheet.trend(metric.id, region, channel.id))), None
            )
            drawn = sparkline(sheet.trend(told.id, region, channel.id), told) if told else None
            parts[f"channel-spark-{channel.id}"] = {"chart": drawn, "@title": words.of(told.name) if told else None}
    return parts


def _tellers(catalogue: Catalogue) -> list[Metric]:
    """Metrics whose trend stands for a channel: the first that it has."""
    return chosen(catalogue, (BARRED, "answer_rate", "self_service_share", "contacts"))


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


def _row_parts(readings: Readings, sheet: ViewFigures, words: Words) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for metric, reading in readings:
        value = reading.value if reading else None
        shown[f".{metric.id}"] = str(words.value(metric, value))
        shown[f".{metric.id}@title"] = _why(metric, reading, words) if value is None else None
        shown[f".{metric.id}@data-state"] = reading.state.value if reading else "no_value"
    return shown | _judgement(readings, words) | _trust(readings, sheet, words)


def _judgement(readings: Readings, words: Words) -> dict[str, Any]:
    """State of a row and place of its bar: those of the barred figure, where the channel has it."""
    for metric, reading in readings:
        if metric.id == BARRED and reading is not None:
            place = target_position(metric, reading.value)
            at = None if place is None else f"{place * 100:.1f}%"
            return {"@data-state": reading.state.value, ".state": words(f"state.{reading.state}"), "--at": at}
    state = "no_target" if any(reading for _, reading in readings) else "no_value"
    return {"@data-state": state, ".state": words(f"state.{state}"), "--at": None}


def _trust(readings: Readings, sheet: ViewFigures, words: Words) -> dict[str, Any]:
    """The trust of a row: its least reliable figure, with the age when that is late."""
    present = [(metric, reading) for metric, reading in readings if reading]
    if not present:
        none = words("trust_mark.none")
        return {"@data-trust": "none", "@data-late": None, ".trust": none, ".trust@title": words("tile.not_delivered")}
    metric, worst = max(present, key=lambda pair: (DOUBT.index(pair[1].trust), -(pair[1].at or sheet.at).timestamp()))
    late = is_late(metric, worst, sheet.at, words.catalogue)
    return {
        "@data-trust": worst.trust.value,
        "@data-late": "" if late else None,
        ".trust": time_of(metric, worst, sheet.at, words) if late else words(f"trust_mark.{worst.trust}"),
        ".trust@title": words.told(worst.reason) or None,
    }


def _why(metric: Metric, reading: Reading | None, words: Words) -> str:
    """Why there is a dash."""
    if reading is None:
        return words("tile.not_delivered")
    if reading.reason:
        return words.told(reading.reason)
    return words("state.no_value_why", metric=words.of(metric.name), dash=DASH)
