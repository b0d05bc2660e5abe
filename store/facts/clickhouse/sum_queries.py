"""A question becomes one statement in ClickHouse's SQL: old versions know no common tables and no join by default.

Versions are told apart first: of every key that counts the newest, unless it was taken back. Places and values of
dimensions are looked up in arrays that the statement carries.
"""
# ruff: noqa: S608 - statements are put together from constants and integer codes, never from text that came in.

from collections.abc import Iterable, Mapping

import numpy as np

from config.catalogue import Catalogue, Level
from store.facts.clickhouse.names import HashedNames
from store.facts.history import REGION_LEVELS, SumQuery
from store.facts.shared.names import NO_NAME
from store.facts.shared.seconds import second
from store.facts.shared.sum_queries import (
    Labels,
    SumStatement,
    bucket,
    by_arithmetic,
    check_names,
    code_list,
    dimension_values,
    keys_of,
    total,
    within,
)

SHOWN = """
SELECT channel, measure, region, dimension, start, argMax(value, version) AS newest_value{columns}
FROM {table} AS f WHERE {where}
GROUP BY channel, measure, region, dimension, start HAVING NOT isNaN(newest_value)"""
"""The newest version of every key."""


def sum_statement(question: SumQuery, catalogue: Catalogue, names: HashedNames, table: str) -> SumStatement:
    """Turn a question into SQL; raises ValueError naming what the catalogue does not know."""
    check_names(question, catalogue)
    labels, _ = dimension_values(question, names.local)
    keys = ", ".join(["bucket", *(name for name in keys_of(question) if name != "bucket")])
    selects = []
    for arithmetic, measures in by_arithmetic(question, catalogue).items():
        facts = _facts(question, catalogue, names, labels, measures, table)
        selects.append(total(arithmetic, keys, f"({facts}) AS facts", "argMax(value, start)"))
    return SumStatement(question, f"SELECT * FROM ({' UNION ALL '.join(selects)}) AS found", None, labels)


def _facts(
    question: SumQuery, catalogue: Catalogue, names: HashedNames, labels: Labels, measures: list[str], table: str
) -> str:
    """The rows that count, with their bucket and keys."""
    keys = "".join(
        f", {_key(name, catalogue, names)} AS key_{position}" for position, name in enumerate(question.group)
    )
    where = " AND ".join(_conditions(question, catalogue, names, labels, measures))
    shown = SHOWN.format(columns="", table=table, where=where)
    shown = f"{shown} AND argMax(reported, version) = {int(question.reported)}"
    return f"""
        SELECT {bucket(question, catalogue)} AS bucket, o.channel AS channel, o.measure AS measure, o.start AS start,
            o.newest_value AS value{keys}
        FROM ({shown}) AS o"""


def _conditions(
    question: SumQuery, catalogue: Catalogue, names: HashedNames, labels: Labels, measures: list[str]
) -> Iterable[str]:
    yield within("start", question.interval)
    yield f"measure IN ({code_list(names.find('measure', measures))})"
    yield f"region IN ({code_list(names.find('region', catalogue.below(question.within)))})"
    yield f"channel IN ({code_list(names.find('channel', channels(question.channels, catalogue)))})"
    if question.as_known_at is not None:
        yield f"since <= {second(question.as_known_at)}"
    for dimension, wanted in question.where.items():
        codes = [code for code, label in enumerate(labels[dimension]) if label in wanted]
        yield f"{_looked_up('dimension', _dimension_codes(names, dimension))} IN ({code_list(codes)})"


def channels(named: Iterable[str] | None, catalogue: Catalogue) -> Iterable[str]:
    """The channels that count."""
    return catalogue.channels if named is None else named


def _key(name: str, catalogue: Catalogue, names: HashedNames) -> str:
    if name in ("channel", "region"):
        return f"o.{name}"
    if name in REGION_LEVELS:
        return _looked_up("o.region", _ancestors(catalogue, names, Level(name)))
    return _looked_up("o.dimension", _dimension_codes(names, name))


def _ancestors(catalogue: Catalogue, names: HashedNames, level: Level) -> dict[int, int]:
    """By code of a region, the local code of the region of a level that it lies in."""
    above = {region: catalogue.ancestor(region, level) for region in catalogue.regions}
    return {
        names.find("region", [region])[0]: names.local.find("region", [found])[0]
        for region, found in above.items()
        if found is not None
    }


def _dimension_codes(names: HashedNames, dimension: str) -> dict[int, int]:
    """By code of a dimension key, the local code of its value of one dimension."""
    codes, _ = names.local.dimension_values(dimension)
    stored = names.stored_codes("dimension", np.arange(len(codes)))
    return dict(zip(stored.tolist(), codes.tolist(), strict=True))


def _looked_up(column: str, codes: Mapping[int, int]) -> str:
    if not codes:
        return f"toUInt32({NO_NAME})"
    stored_codes, local_codes = ", ".join(map(str, codes)), ", ".join(map(str, codes.values()))
    return f"transform({column}, [{stored_codes}], [{local_codes}], toUInt32({NO_NAME}))"
