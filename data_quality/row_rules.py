"""Source rows against what their channel's configuration expects of them, each wrong line named.

The rules are data (`Source.expects`), evaluated a column at a time. What a row says may be wrong and the row still
counts; what could not be counted at all is a `Reject`. Both become findings here, once a batch.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Expectation, Source
from metrics.findings import CheckState, Finding
from metrics.observations import Batch, Reject

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
EPOCH = pd.Timestamp(0, tz="UTC")


class UnknownColumn(ValueError):
    """An expectation names a column that the source's rows do not have."""


def audit_batch(batch: Batch, source: Source) -> list[Finding]:
    """All that the rows of a batch show: those that are not as expected, and those that could not be counted."""
    if batch.parsed is None:
        return []
    rows = batch.parsed.rows
    looked_at = [] if rows is None else audit_rows(rows, source, batch.channel)
    window = batch.window
    return [
        finding._replace(batch=batch.id, start=window.start, end=window.end, about_rows=True)
        for finding in (*looked_at, *audit_rejects(batch))
    ]


def audit_rows(rows: pd.DataFrame, source: Source, channel: str) -> list[Finding]:
    """A finding for each (rule, column) that the source's rows are expected to keep.

    `rows` has a column `line` and the columns that the expectations name, typed by the collector. `measure` of a
    finding is the column. An expectation that cannot be evaluated is an ERROR; one without rows to look at is NA.
    """
    expected: dict[tuple[str, str], list[Expectation]] = {}
    for expectation in source.expects:
        expected.setdefault((expectation.rule, expectation.column), []).append(expectation)
    return [
        _judge(rows, rule, column, expectations, Finding(rule, CheckState.NA, channel, source.id, "", column))
        for (rule, column), expectations in expected.items()
    ]


def _judge(rows: pd.DataFrame, rule: str, column: str, expectations: list[Expectation], blank: Finding) -> Finding:
    """Judge all that one rule expects of one column."""
    try:
        looked = [_looked_at(rows, expectation) for expectation in expectations]
        wrong = [mask & ~_holds(rows, one) for mask, one in zip(looked, expectations, strict=True)]
    except (UnknownColumn, TypeError, ValueError) as error:
        return _with(blank, CheckState.ERROR, facts={"error": type(error).__name__, "detail": str(error)})
    expected, bad = np.logical_or.reduce(looked), np.logical_or.reduce(wrong)
    if not expected.any():
        return blank
    state = CheckState.FAIL if bad.any() else CheckState.PASS
    lines = _lines(rows[bad], column, [one.other for one in expectations if one.other])
    return _with(blank, state, int(bad.sum()), int(expected.sum()), rows=lines)


def _with(
    blank: Finding,
    state: CheckState,
    bad: int = 0,
    expected: int = 0,
    facts: Mapping[str, str | float | int] | None = None,
    rows: tuple[Mapping[str, str | float | int | None], ...] = (),
) -> Finding:
    return blank._replace(state=state, bad=bad, expected=expected, facts=facts or {}, rows=rows)


def _lines(
    wrong: pd.DataFrame, column: str, others: Iterable[str]
) -> tuple[Mapping[str, str | float | int | None], ...]:
    """Line, column and value of every wrong row, with what it was compared to."""
    beside = list(dict.fromkeys(others))
    table = zip(wrong["line"], wrong[column], *(wrong[other] for other in beside), strict=True)
    names = ("value", *beside)
    return tuple(
        {"line": int(line), "column": column, **dict(zip(names, map(_plain, cells), strict=True))}
        for line, *cells in table
    )


def _plain(value: object) -> str | float | int | None:
    """A cell as JSON can hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    return value if isinstance(value, (str, int, float)) else str(value)


def _column(rows: pd.DataFrame, name: str) -> pd.Series:
    if name not in rows.columns:
        raise UnknownColumn(f"the rows have no column {name!r}; they have {', '.join(map(str, rows.columns))}")
    return rows[name]


def _looked_at(rows: pd.DataFrame, expectation: Expectation) -> Mask:
    """Rows that the expectation is about: `when` holds and, except for presence, there is something to judge."""
    mask = np.ones(len(rows), np.bool_)
    for name, values in expectation.when.items():
        mask &= _among(_column(rows, name), values)
    if expectation.must != "be_present":
        mask &= _present(_column(rows, expectation.column))
    if expectation.other is not None:
        mask &= _present(_column(rows, expectation.other))
    return mask


def _holds(rows: pd.DataFrame, expectation: Expectation) -> Mask:
    """Where the expectation is true; undefined where it is not looked at."""
    column = _column(rows, expectation.column)
    match expectation.must:
        case "be_present":
            return _present(column)
        case "be_one_of":
            return _among(column, expectation.values)
        case "not_be_one_of":
            return ~_among(column, expectation.values)
        case "be_between":
            return _between(_numbers(column), expectation)
        case "not_precede":
            if expectation.other is None:
                raise ValueError(f"{expectation.rule} on {expectation.column}: not_precede needs `other`")
            gap = _numbers(column) - _numbers(_column(rows, expectation.other))
            held: Mask = gap >= -expectation.tolerance
            return held


def _between(numbers: Numbers, expectation: Expectation) -> Mask:
    """Whether numbers lie in [low, high], give or take the tolerance; NaN does not."""
    low = -np.inf if expectation.low is None else expectation.low
    high = np.inf if expectation.high is None else expectation.high
    held: Mask = (numbers >= low - expectation.tolerance) & (numbers <= high + expectation.tolerance)
    return held


def _among(column: pd.Series, values: tuple[str, ...]) -> Mask:
    held: Mask = column.astype("str").isin(values).to_numpy(np.bool_)
    return held


def _present(column: pd.Series) -> Mask:
    """Where a cell holds something: not missing, and not blank text."""
    held: Mask = column.notna().to_numpy(np.bool_)
    if not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column):
        held = held & (column.astype("str").str.strip() != "").to_numpy(np.bool_)
    return held


def _numbers(column: pd.Series) -> Numbers:
    """A column as numbers; times and durations as seconds, so that their tolerance is in seconds."""
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column - EPOCH.tz_convert(column.dt.tz) if column.dt.tz else column - EPOCH.tz_localize(None)
    if pd.api.types.is_timedelta64_dtype(column):
        column = column.dt.total_seconds()
    numbers: Numbers = pd.to_numeric(column).to_numpy(np.float64)
    return numbers


def audit_rejects(batch: Batch) -> list[Finding]:
    """A failed finding for each rule that records of a batch broke so that they could not be counted."""
    by_rule: dict[str, list[Reject]] = {}
    for reject in batch.parsed.rejects if batch.parsed else ():
        by_rule.setdefault(reject.rule, []).append(reject)
    return [_refused(batch, rule, broken) for rule, broken in sorted(by_rule.items())]


def _refused(batch: Batch, rule: str, broken: list[Reject]) -> Finding:
    """What was refused under one rule, of all that was read."""
    bad, read = sum(reject.pieces for reject in broken), batch.parsed.read if batch.parsed else 0
    rows = tuple(
        {"line": reject.line, "column": reject.column, "code": reject.code, "value": reject.value} for reject in broken
    )
    facts = {"code": broken[0].code}
    return Finding(
        rule, CheckState.FAIL, batch.channel, batch.source, bad=bad, expected=max(read, bad), facts=facts, rows=rows
    )
