"""Records of a contact log: where, when, who and which, column by column; what cannot be counted is refused.

1. Typed columns are read.
2. What the options leave out is left out, so that a record that is no contact is never refused for a cell.
3. Cells, arrival, region, key and dimensions are judged in this order; a record's first fault is told.
4. Of records with the same key the last one counts.
"""

import math
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collectors import Plan
from collectors.contact_log.arrival import Arrivals, read_arrivals
from collectors.contact_log.cells import NotReadable, Numbers, read_numbers
from collectors.contact_log.conditions import holds
from collectors.contact_log.marks import bands, marks
from collectors.contact_log.options import Dimension, Options, Region
from collectors.contact_log.table import Table
from collectors.shared.contributions import Coded
from collectors.shared.lines import Lines, Place
from collectors.shared.pseudonyms import pseudonym
from collectors.shared.record_verdicts import LONGEST_DIMENSION, LONGEST_KEY, Mask, RecordVerdicts, refuse_times
from collectors.shared.served_regions import place_records
from config.catalogue import Measure
from metrics.observations import Payload


@dataclass(frozen=True)
class Records:
    """Everything known of the records of one payload."""

    table: Table
    numbers: dict[str, Numbers]
    """Typed values by column, of its distinct texts."""
    verdicts: RecordVerdicts
    arrivals: Arrivals
    regions: Coded
    dimensions: dict[str, Coded]
    keys: npt.NDArray[np.object_]


def read_records(table: Table, lines: Lines, payload: Payload, place: Place, plan: Plan) -> Records:
    """Read and judge every record of a table."""
    options: Options = plan.options
    verdicts = RecordVerdicts.of(lines.numbers[table.positions])
    typed = {
        name: read_numbers(table.columns[name].texts, kind) for name, kind in options.columns.items() if kind != "text"
    }
    numbers = {name: values for name, (values, _) in typed.items()}
    for exclusion in options.exclude:
        verdicts.leave_out(holds(exclusion.when, table, numbers), exclusion.reason)
    for name, (_, faults) in typed.items():
        refuse_cells(table.columns[name], name, faults, verdicts)
    for measure, rule in options.measures.items():
        if rule.sum is not None:
            limits = plan.catalogue.measures[measure]
            mask = holds(rule.when, table, numbers)
            refuse_sums(rule.sum, mask, numbers[rule.sum], limits, table.columns[rule.sum], verdicts)
    arrivals = read_arrivals(table, options.arrived, plan.channel.zone, payload.fetched_at)
    refuse_arrivals(arrivals, table, options, verdicts)
    regions = read_regions(table, plan, verdicts)
    keys = read_keys(table, lines, place, plan, verdicts)
    dimensions = {name: read_dimension(name, table, numbers, plan) for name in options.dimensions}
    for name, values in dimensions.items():
        refuse_dimension(values, options.dimensions[name].column, verdicts)
    verdicts.supersede(keys)
    return Records(table, numbers, verdicts, arrivals, regions, dimensions, keys)


def refuse_cells(column: Coded, name: str, faults: dict[int, NotReadable], verdicts: RecordVerdicts) -> None:
    """Refuse records with an unreadable cell in a typed column."""
    for index, fault in faults.items():
        text = column.texts[index]
        verdicts.refuse(column.codes == index, fault.rule, fault.code, name, lambda _, text=text: text)  # type: ignore[misc]


def refuse_sums(
    name: str, mask: Mask, numbers: Numbers, limits: Measure, column: Coded, verdicts: RecordVerdicts
) -> None:
    """Refuse records that would add to a measure what no contact can (AC-01): in the sum it could hide."""
    below, above = numbers < limits.minimum, numbers > (limits.maximum or math.inf)
    verdicts.refuse(mask & column.each(below), "AC-01", "below_minimum", name, column.text)
    verdicts.refuse(mask & column.each(above), "AC-01", "number_too_large", name, column.text)


def refuse_arrivals(arrivals: Arrivals, table: Table, options: Options, verdicts: RecordVerdicts) -> None:
    """Refuse records whose arrival is no time, or none that can be."""
    names = [name for name in (options.arrived.column, options.arrived.date, options.arrived.time) if name]
    columns = [table.columns[name] for name in names]
    refuse_times(arrivals.fault, "+".join(names), lambda record: " ".join(c.text(record) for c in columns), verdicts)


def read_regions(table: Table, plan: Plan, verdicts: RecordVerdicts) -> Coded:
    """The region of each record; refuses those that are no served region (AC-02)."""
    rule: Region = plan.options.region
    if rule.column is None:
        return Coded.same(str(rule.constant), len(table))
    return place_records(table.columns[rule.column], rule.column, rule.map, plan.catalogue, verdicts)


def read_keys(
    table: Table, lines: Lines, place: Place, plan: Plan, verdicts: RecordVerdicts
) -> npt.NDArray[np.object_]:
    """The key of each contact: its columns joined by `|`, or its place in the file where the source has none."""
    contact = plan.options.contact
    if contact is None:
        checked = ((lines.offsets[at], zlib.crc32(lines.texts[at])) for at in table.positions)
        return np.array([place.key(int(offset), checksum) for offset, checksum in checked], dtype=object)
    columns = [table.columns[name] for name in contact.columns]
    several = len(columns) > 1
    parts = [
        column.each(np.array([escaped(text, several) for text in column.texts], dtype=object)) for column in columns
    ]
    keys = np.array(["|".join(key) for key in zip(*parts, strict=True)], dtype=object)
    empty = np.logical_or.reduce([column.empty() for column in columns])
    lengths = np.fromiter(map(len, keys), np.int64, len(keys))
    where = "+".join(contact.columns)
    verdicts.refuse(empty, "CP-03", "key_missing", where, lambda _: "")
    verdicts.refuse(lengths > LONGEST_KEY, "TY-01", "text_too_long", where, lambda record: str(lengths[record]))
    if contact.hashed:
        keys = np.array([pseudonym(plan.pseudonym_key, key) for key in keys], dtype=object)
    return keys


def escaped(text: str, several: bool) -> str:
    """A part of a key without the sign that joins parts, so that two keys never become one."""
    return text.replace("%", "%25").replace("|", "%7C") if several else text


def read_dimension(name: str, table: Table, numbers: dict[str, Numbers], plan: Plan) -> Coded:
    """A dimension's value for each record; '' where it is not told."""
    rule: Dimension = plan.options.dimensions[name]
    if rule.band is not None:
        return bands(table.columns[rule.band], numbers[rule.band], plan.catalogue.accuracies[name])
    if rule.person is not None:
        return marks(table.columns[rule.person], plan.options.customer, plan.pseudonym_key)
    if rule.constant is not None:
        return Coded.same(rule.constant, len(table))
    if rule.column is not None:
        column = table.columns[rule.column]
        return Coded.merged(column.codes, [rule.map.get(text, text) for text in column.texts])
    codes = np.zeros(len(table), dtype=np.intp)
    for index, case in reversed(list(enumerate(rule.cases, start=1))):
        codes[holds(case.when, table, numbers)] = index
    return Coded.merged(codes, ["", *(case.value for case in rule.cases)])


def refuse_dimension(values: Coded, name: str | None, verdicts: RecordVerdicts) -> None:
    """Refuse records whose text cannot be a code: too long, or with control characters."""
    wrong = np.array([len(text) > LONGEST_DIMENSION or not text.isprintable() for text in values.texts], dtype=bool)
    verdicts.refuse(wrong[values.codes], "TY-01", "not_a_code", name, lambda record: values.texts[values.codes[record]])
