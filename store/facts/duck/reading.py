"""How DuckDB is asked so that it adds up once."""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from datetime import timedelta

import duckdb

from config.catalogue import Catalogue, Kind
from store.facts.history import SumQuery
from store.facts.shared.seconds import second_from
from store.facts.shared.sum_queries import Dialect, shown_at

DIALECT = Dialect(last="arg_max(value, start)", one_reading=True)


def one_instant(cursor: duckdb.DuckDBPyConnection, question: SumQuery, catalogue: Catalogue) -> bool:
    """Whether a question about levels is known to be about one instant, the first of its interval.

    To add up each instant before time costs a quarter of an answer; that there is no later one is told by the bounds
    of the row groups, for what the cursor's transaction sees. Not asked where there must be several: of an interval
    that is longer than those of all channels.
    """
    span = question.interval
    kinds = {measure.kind for name, measure in catalogue.measures.items() if name in question.measures}
    longest = max(channel.interval_s for channel in catalogue.channels.values())
    if Kind.LEVEL not in kinds or span.end - span.start > timedelta(seconds=longest):
        return False
    later = f"start > {second_from(span.start)} AND start < {second_from(span.end)}"
    return cursor.execute(f"SELECT 1 FROM {shown_at(question.as_known_at)} WHERE {later} LIMIT 1").fetchall() == []
