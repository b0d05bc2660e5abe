"""Questions put to PostgreSQL, and its answers as tables."""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from metrics.observations import Interval
from store.facts.history import Holdings
from store.facts.postgres.links import Link
from store.facts.postgres.schema import FACT, TABLES
from store.facts.shared.names import Names
from store.facts.shared.rows import named
from store.facts.shared.seconds import moment
from store.facts.shared.sum_queries import DIMENSION_VALUES, Dialect, Sums, keys_of, listed, shown_at, within

DIALECT = Dialect(last="(array_agg(value ORDER BY start DESC))[1]")

_SIZE = """
SELECT sum(pg_total_relation_size(part))
FROM unnest($1::text[]) AS named,
    LATERAL (SELECT named::regclass UNION SELECT relid FROM pg_partition_tree(named::regclass)) AS parts (part)"""


def answer(link: Link, asked: Sums) -> pd.DataFrame:
    """The answer to a question, as `History.totals` gives it."""
    columns = {**dict.fromkeys(keys_of(asked.question), "int8"), "measure": "int2", "value": "float8"}
    return asked.read(link.fetch(columns, _beside(asked)), link.names)


def rows(
    link: Link, interval: Interval, channels: list[int], as_known_at: datetime | None, columns: Sequence[str]
) -> pd.DataFrame:
    """Every row with its names, as `History.observations` gives it."""
    found: dict[str, Any] = link.fetch(
        {name: FACT[name] for name in columns},
        f"""SELECT * FROM {shown_at(as_known_at)} AS shown
        WHERE {within("start", interval)} AND channel IN ({listed(channels)})""",
    )
    if "batch" in found:
        found["batch"] = _batches(link, found["batch"])
    return named(found, link.names, columns)


def holdings(link: Link) -> Holdings:
    """What is held and what it costs, as `History.holdings` gives it."""
    asked = "SELECT count(*), min(start), max(start) FROM observation"
    [(number, oldest, newest)] = link.connection.execute(asked).fetchall()
    [(size,)] = link.connection.execute(_SIZE, [list(TABLES)]).fetchall()
    first, last = (None if start is None else moment(start) for start in (oldest, newest))
    return Holdings(number, int(size), first, last)


def _beside(asked: Sums) -> str:
    """The statement with the meaning of dimension keys laid beside the tables, where it asks for them."""
    if asked.dimensions is None:
        return asked.statement
    table = asked.dimensions
    values = ", ".join(f"'{{{','.join(map(str, table[name]))}}}'::int8[]" for name in table)
    beside = f"{DIMENSION_VALUES} ({', '.join(table)}) AS (SELECT * FROM unnest({values}))"
    return f"WITH {beside} SELECT * FROM ({asked.statement}) AS sums"


def _batches(link: Link, codes: npt.NDArray[np.integer]) -> pd.Categorical:
    """Batches are named by the thousand and seldom read: nobody keeps their names in memory."""
    used, positions = np.unique(codes, return_inverse=True)
    told = link.connection.execute("SELECT code, label FROM batch_name WHERE code = ANY ($1)", [used.tolist()])
    labels: dict[int, str] = dict(told.fetchall())
    return Names.categorical([labels[code] for code in used], positions)
