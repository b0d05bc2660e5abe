"""A question becomes one statement: additive measures, levels and peaks each by their own arithmetic.

additive    sum
peak        max
level last  per channel: sum over places at one instant, the last instant of the bucket; then added over channels
level mean  per channel: sum over places at one instant, the mean of the instants; then added over channels
level max   sum over places and channels at one instant, the largest instant
"""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from config.catalogue import Catalogue, Kind
from metrics.observations import Interval
from store.facts.history import REGION_LEVELS, ROW_COLUMNS, SumQuery
from store.facts.shared.buckets import Run, runs
from store.facts.shared.names import Names
from store.facts.shared.seconds import moments, second, second_from

DIMENSION_VALUES = "dimension_value"
"""Name of the table that an engine puts `SumStatement.dimensions` into for the statement."""
Labels = dict[str, list[str]]
"""Values of the dimensions that a question names, by the codes of this answer."""


def among(column: str, codes: list[int]) -> str:
    """The condition that a column holds one of some codes: within their range, and none of the holes or one of them.

    An engine skips by a range, and leaves out holes while it scans; a list it compares with every row that it has
    read, which is cheaper only where most of the range is holes.
    """
    if not codes:
        return f"{column} IN ({code_list(codes)})"
    holes = sorted(set(range(min(codes), max(codes))) - set(codes))
    within = f"{column} BETWEEN {min(codes)} AND {max(codes)}"
    if not holes:
        return within
    left, chosen = ("IN", sorted(codes)) if len(holes) > 2 * len(codes) else ("NOT IN", holes)
    return f"{within} AND {column} {left} ({code_list(chosen)})"


@dataclass(frozen=True)
class Dialect:
    """Where one engine's SQL differs from another's."""

    last: str
    """Aggregate that takes `value` at the largest `start`."""
    one_reading: bool = False
    """Whether measures of several arithmetics are read once, which costs them a sum at each instant beside levels."""


@dataclass(frozen=True)
class SumStatement:
    """A question as one statement, and what is needed to read its answer: columns of `keys_of`, and value.

    The answer comes in any order and is put in order here, which takes numpy a third of the engine's time.
    """

    question: SumQuery
    sql: str
    dimensions: pd.DataFrame | None
    """What each dimension key says of the dimensions asked for: code, of_<dimension> …; None: none is asked for."""
    labels: Labels

    def read(self, found: Mapping[str, Any], names: Names) -> pd.DataFrame:
        """The columns of the engine's answer as `History.totals` gives them, in order of their codes."""
        keys = keys_of(self.question)
        order = np.lexsort([found[name] for name in reversed(keys)])
        ordered = {name: np.asarray(found[name])[order] for name in (*keys, "value")}
        table: dict[str, object] = {}
        if self.question.by is not None:
            table["start"] = moments(ordered["bucket"])
        for position, name in enumerate(self.question.group):
            kind, codes = "region" if name in REGION_LEVELS else name, ordered[f"key_{position}"]
            known = self.labels.get(name)
            table[name] = names.label(kind, codes) if known is None else names.categorical(known, codes)
        table["measure"] = names.label("measure", ordered["measure"])
        table["value"] = ordered["value"].astype(np.float64, copy=False)
        return pd.DataFrame(table, copy=False)


def keys_of(question: SumQuery) -> list[str]:
    """The columns of an answer that tell its rows apart."""
    bucketed = ["bucket"] if question.by is not None else []
    return [*bucketed, *(f"key_{position}" for position in range(len(question.group))), "measure"]


def sum_statement(
    question: SumQuery, catalogue: Catalogue, names: Names, dialect: Dialect, one_instant: bool = False
) -> SumStatement:
    """Turn a question into SQL; raises ValueError naming what the catalogue does not know.

    `one_instant`: the store knows that all it holds of the question's interval is of one instant.
    """
    check_names(question, catalogue)
    labels, dimensions = dimension_values(question, names)
    facts = _facts(question, catalogue, names, labels)
    measures = by_arithmetic(question, catalogue, one_instant)
    codes = {arithmetic: names.find("measure", known) for arithmetic, known in measures.items()}
    selects = _totals(codes, question, ", ".join(keys_of(question)), dialect)
    return SumStatement(question, f"WITH facts AS ({facts}) {' UNION ALL '.join(selects)}", dimensions, labels)


def shown_at(moment: datetime | None) -> str:
    """Table expression of the rows that were the newest at a moment; None: that are the newest."""
    if moment is None:
        return "observation"
    known, columns = second(moment), ", ".join(ROW_COLUMNS)
    return f"""(
        SELECT {columns} FROM observation WHERE received_at <= {known}
        UNION ALL SELECT {columns} FROM superseded
        WHERE received_at <= {known} AND {known} < superseded_at)"""


def within(column: str, interval: Interval) -> str:
    """The condition that a column of seconds lies in an interval."""
    return f"{column} >= {second_from(interval.start)} AND {column} < {second_from(interval.end)}"


def check_names(question: SumQuery, catalogue: Catalogue) -> None:
    """Refuse names that the catalogue does not have: they would be answered by an empty table."""
    dimensions = [
        name for name in (*question.group, *question.where) if name not in (*REGION_LEVELS, "channel", "region")
    ]
    asked = (
        ("measure", question.measures, catalogue.measures),
        ("channel", question.channels or (), catalogue.channels),
        ("region", (question.within,), catalogue.regions),
        ("dimension", dimensions, catalogue.dimensions),
    )
    for kind, wanted, known in asked:
        for name in wanted:
            if name not in known:
                raise ValueError(f"unknown {kind} {name!r} in a question to the history")
    if not question.measures:
        raise ValueError("a question to the history names no measure")


def dimension_values(question: SumQuery, names: Names) -> tuple[Labels, pd.DataFrame | None]:
    """What every dimension key says of the dimensions asked for."""
    wanted = [name for name in (*question.group, *question.where) if name not in (*REGION_LEVELS, "channel", "region")]
    read = {name: names.dimension_values(name) for name in wanted}
    labels = {name: values for name, (_, values) in read.items()}
    if not read:
        return labels, None
    length = min(len(codes) for codes, _ in read.values())
    columns = {f"of_{name}": codes[:length] for name, (codes, _) in read.items()}
    return labels, pd.DataFrame({"code": np.arange(length, dtype=np.uint32), **columns})


def _facts(question: SumQuery, catalogue: Catalogue, names: Names, labels: Labels) -> str:
    """The rows that count, with their bucket and keys."""
    keys = "".join(f", {_key(name)} AS key_{position}" for position, name in enumerate(question.group))
    join = f" JOIN {DIMENSION_VALUES} d ON d.code = o.dimension" if labels else ""
    return f"""
        SELECT {bucket(question, catalogue)} AS bucket, o.channel, o.measure, o.start, o.value{keys}
        FROM {shown_at(question.as_known_at)} o JOIN place p ON p.region = o.region{join}
        WHERE {" AND ".join(_conditions(question, catalogue, names, labels))}"""


def _key(name: str) -> str:
    if name in REGION_LEVELS:
        return f"p.{name}"
    return f"o.{name}" if name in ("channel", "region") else f"d.of_{name}"


def _conditions(question: SumQuery, catalogue: Catalogue, names: Names, labels: Labels) -> Iterable[str]:
    yield within("o.start", question.interval)
    yield f"o.reported = {question.reported}"
    yield among("o.measure", names.find("measure", question.measures))
    level = catalogue.regions[question.within].level
    yield f"p.{level} IN ({code_list(names.find('region', [question.within]))})"
    if question.channels is not None:
        yield among("o.channel", names.find("channel", question.channels))
    for dimension, wanted in question.where.items():
        codes = [code for code, label in enumerate(labels[dimension]) if label in wanted]
        yield f"d.of_{dimension} IN ({code_list(codes)})"


def bucket(question: SumQuery, catalogue: Catalogue) -> str:
    """Start of the row's bucket: plain arithmetic while the clock does not change."""
    if question.by is None:
        return "0"
    found = runs(question.interval, question.by, catalogue.day)
    cases = "".join(
        f" WHEN o.start < {following.since} THEN {_bucket_start(run)}" for run, following in pairwise(found)
    )
    return f"CASE{cases} ELSE {_bucket_start(found[-1])} END" if cases else _bucket_start(found[-1])


def _bucket_start(run: Run) -> str:
    return f"o.start - (o.start - {run.anchor}) % {run.step}"


def by_arithmetic(question: SumQuery, catalogue: Catalogue, one_instant: bool = False) -> dict[str, list[str]]:
    """Measures by how they are added; a level of one instant adds up like a count."""
    found: dict[str, list[str]] = {}
    for name in question.measures:
        measure = catalogue.measures[name]
        level = "sum" if one_instant else f"level {measure.over_time}"
        arithmetic = {Kind.ADDITIVE: "sum", Kind.PEAK: "max", Kind.LEVEL: level}[measure.kind]
        found.setdefault(arithmetic, []).append(name)
    return found


def _totals(codes: dict[str, list[int]], question: SumQuery, keys: str, dialect: Dialect) -> Iterable[str]:
    """The sums of every arithmetic: one after another, or what is taken channel by channel in one reading."""
    together = {name: known for name, known in codes.items() if dialect.one_reading and name != "level max"}
    apart = [{name: known} for name, known in codes.items() if name not in together]
    channel = "" if "channel" in question.group else ", channel"
    for chosen in [together, *apart] if together else apart:
        condition = among("measure", [code for known in chosen.values() for code in known])
        facts = "facts" if len(chosen) == len(codes) else f"(SELECT * FROM facts WHERE {condition}) AS chosen"
        if len(chosen) > 1:
            yield _in_one_reading(chosen, keys, channel, facts, dialect.last)
        else:
            [arithmetic] = chosen
            yield total(arithmetic, keys, facts, dialect.last)


def _in_one_reading(codes: dict[str, list[int]], keys: str, channel: str, facts: str, last: str) -> str:
    """The sums of measures of several arithmetics: at each instant, over time, over channels unless `keys` has them."""
    kinds = ("max", "level last", "level mean")
    peak, newest, mean = (f"measure IN ({code_list(codes.get(kind, []))})" for kind in kinds)
    added = f"CASE WHEN {peak} THEN max(value) ELSE sum(value) END AS value"
    if not codes.keys() - {"sum", "max"}:
        return f"SELECT {keys}, {added} FROM {facts} GROUP BY {keys}"
    instants = f"SELECT {keys}{channel}, start, {added} FROM {facts} GROUP BY {keys}{channel}, start"
    others = f"WHEN {newest} THEN {last} WHEN {mean} THEN avg(value) ELSE sum(value)"
    over_time = f"CASE WHEN {peak} THEN max(value) {others} END AS value"
    channels = f"SELECT {keys}{channel}, {over_time} FROM ({instants}) AS instants GROUP BY {keys}{channel}"
    return f"SELECT {keys}, {added} FROM ({channels}) AS channels GROUP BY {keys}" if channel else channels


def total(arithmetic: str, keys: str, facts: str, last: str) -> str:
    """The sums of measures that share one arithmetic, over facts of theirs: keys, channel, start, value."""
    if arithmetic in ("sum", "max"):
        return f"SELECT {keys}, {arithmetic}(value) AS value FROM {facts} GROUP BY {keys}"
    if arithmetic == "level max":
        instants = f"SELECT {keys}, start, sum(value) AS value FROM {facts} GROUP BY {keys}, start"
        return f"SELECT {keys}, max(value) AS value FROM ({instants}) AS instants GROUP BY {keys}"
    over_time = {"level last": last, "level mean": "avg(value)"}[arithmetic]
    instants = f"SELECT {keys}, channel, start, sum(value) AS value FROM {facts} GROUP BY {keys}, channel, start"
    channels = f"SELECT {keys}, channel, {over_time} AS value FROM ({instants}) AS instants GROUP BY {keys}, channel"
    return f"SELECT {keys}, sum(value) AS value FROM ({channels}) AS channels GROUP BY {keys}"


def code_list(codes: Iterable[int]) -> str:
    """A list for IN; one that no code is in when it is empty."""
    return ", ".join(str(code) for code in codes) or "NULL"
