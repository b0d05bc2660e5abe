"""Records of a contact log into contributions and typed rows."""

import numpy as np
import pandas as pd

from collectors import Plan
from collectors.contact_log.conditions import holds
from collectors.contact_log.options import Options
from collectors.contact_log.reading import Records
from collectors.shared.contributions import Coded, ContributionTable, dimension_keys, starts_of
from collectors.shared.pseudonyms import pseudonym


def count(records: Records, plan: Plan) -> pd.DataFrame:
    """One row a contact and measure, for the records that count."""
    options: Options = plan.options
    starts = starts_of(records.arrivals.seconds, records.verdicts.counted, plan.channel)
    table = ContributionTable(records.keys.tolist(), records.regions, starts)
    dimensions = {delivery.measure: delivery.dimensions for delivery in plan.source.delivers}
    keys: dict[tuple[str, ...], Coded] = {}
    for measure in (*options.measures, *options.zero):
        names = dimensions[measure]
        if names not in keys:
            keys[names] = dimension_keys({name: records.dimensions[name] for name in names}, len(records.table))
        rows, values = contributions_of(measure, records, options)
        table.add(measure, rows, keys[names], values)
    return table.frame()


def contributions_of(
    measure: str, records: Records, options: Options
) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Which records contribute to a measure, and how much."""
    if measure in options.zero:
        rows = np.flatnonzero(records.verdicts.counted)
        return rows, np.zeros(len(rows))
    rule = options.measures[measure]
    mask = records.verdicts.counted & holds(rule.when, records.table, records.numbers)
    if rule.sum is None:
        rows = np.flatnonzero(mask)
        return rows, np.ones(len(rows))
    values = records.table.columns[rule.sum].each(records.numbers[rule.sum])
    rows = np.flatnonzero(mask & ~np.isnan(values))
    return rows, values[rows]


def typed_rows(records: Records, plan: Plan) -> pd.DataFrame:
    """Every record that could be typed, counted or left out, with the columns that somebody named."""
    kept = records.verdicts.unrejected()
    told = records.arrivals.fault == ""
    seconds = np.where(told, records.arrivals.seconds, 0).astype("datetime64[s]")
    rows = {name: row_column(name, column, records, plan, kept) for name, column in records.table.columns.items()}
    rows |= {
        "line": records.verdicts.lines[kept],
        "contact": records.keys[kept],
        "arrived": pd.DatetimeIndex(np.where(told, seconds, np.datetime64("NaT", "s"))[kept]).tz_localize("UTC"),
        "clock": np.where(records.arrivals.doubled, "ambiguous", "")[kept],
        "excluded": records.verdicts.left_out[kept],
    }
    return pd.DataFrame(rows)


def row_column(
    name: str, column: Coded, records: Records, plan: Plan, kept: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> object:
    """One column of the rows: numbers, pseudonyms, or texts as a category."""
    if name in records.numbers:
        return column.each(records.numbers[name])[kept]
    texts = column.texts
    customer = plan.options.customer
    if customer is not None and name == customer.column:
        key = plan.pseudonym_key
        texts = ["" if text in customer.nobody else pseudonym(key, text) for text in texts]
    coded = Coded.merged(column.codes[kept], texts)
    return pd.Categorical.from_codes(coded.codes, list(coded.texts))
