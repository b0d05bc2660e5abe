"""How DuckDB is asked so that it reads little: a list of codes skips row groups, a range skips within them too."""

from itertools import groupby

from store.facts.questions import Dialect, kept_at

RANGES = 3
"""More ranges than these are not worth a scan each."""


def rows_of(table: str, measures: list[int]) -> str:
    """The rows of some measures, each range of codes scanned by itself."""
    ordered = sorted(measures)
    runs = [[code for _, code in run] for _, run in groupby(enumerate(ordered), lambda at: at[1] - at[0])]
    if not 1 < len(runs) <= RANGES:
        return table
    scans = (f"FROM {table} AS scanned WHERE measure BETWEEN {run[0]} AND {run[-1]}" for run in runs)
    return f"({' UNION ALL '.join(scans)})"


DIALECT = Dialect(last="arg_max(value, start)", shown_at=kept_at, rows_of=rows_of, nulls=False, one_reading=True)
