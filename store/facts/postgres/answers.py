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
from store.facts.postgres.schema import FACT, TABLES
from store.facts.postgres.sessions import Session
from store.facts.shared.names import Names
from store.facts.shared.rows import with_names
from store.facts.shared.seconds import moment
from store.facts.shared.sum_queries import DIMENSION_VALUES, Dialect, SumStatement, code_list, keys_of, shown_at, within

DIALECT = Dialect(last="(array_agg(value ORDER BY start DESC))[1]")

_SIZE = """
SELECT sum(pg_total_relation_size(part))
FROM unnest($1::text[]) AS named,
    LATERAL (SELECT named::regclass UNION SELECT relid FROM pg_partition_tree(named::regclass)) AS parts (part)"""


def answer(session: Session, statement: SumStatement) -> pd.DataFrame:
    """The answer to a question, as `History.totals` gives it."""
    columns = {**dict.fromkeys(keys_of(statement.question), "int8"), "measure": "int2", "value": "float8"}
    return statement.read(session.fetch(columns, _with_dimension_values(statement)), session.names)


def rows(
    session: Session, interval: Interval, channels: list[int], as_known_at: datetime | None, columns: Sequence[str]
) -> pd.DataFrame:
    """Every row with its names, as `History.observations` gives it."""
    found: dict[str, Any] = session.fetch(
        {name: FACT[name] for name in columns},
        f"""SELECT * FROM {shown_at(as_known_at)} AS shown
        WHERE {within("start", interval)} AND channel IN ({code_list(channels)})""",
    )
    if "batch" in found:
        found["batch"] = _batches(session, found["batch"])
    return with_names(found, session.names, columns)


def holdings(session: Session) -> Holdings:
    """What is held and what it costs, as `History.holdings` gives it."""
    statement = "SELECT count(*), min(start), max(start) FROM observation"
    [(number, oldest, newest)] = session.connection.execute(statement).fetchall()
    [(size,)] = session.connection.execute(_SIZE, [list(TABLES)]).fetchall()
    first, last = (None if start is None else moment(start) for start in (oldest, newest))
    return Holdings(number, int(size), first, last)


def _with_dimension_values(statement: SumStatement) -> str:
    """The statement with the meaning of dimension keys laid beside the tables, where it asks for them."""
    if statement.dimensions is None:
        return statement.sql
    table = statement.dimensions
    values = ", ".join(f"'{{{','.join(map(str, table[name]))}}}'::int8[]" for name in table)
    common_table = f"{DIMENSION_VALUES} ({', '.join(table)}) AS (SELECT * FROM unnest({values}))"
    return f"WITH {common_table} SELECT * FROM ({statement.sql}) AS sums"


def _batches(session: Session, codes: npt.NDArray[np.integer]) -> pd.Categorical:
    """Batches are named by the thousand and seldom read: nobody keeps their names in memory."""
    used, positions = np.unique(codes, return_inverse=True)
    named = session.connection.execute("SELECT code, label FROM batch_name WHERE code = ANY ($1)", [used.tolist()])
    labels: dict[int, str] = dict(named.fetchall())
    return Names.categorical([labels[code] for code in used], positions)
