"""The collector of the kind `contact_log`."""

from dataclasses import dataclass
from pathlib import Path

from collectors import Ask, Plan
from collectors.contact_log.counting import count, typed_rows
from collectors.contact_log.options import Options
from collectors.contact_log.reading import read_records
from collectors.contact_log.table import column_names, read_table
from collectors.shared.lines import Lines, Place, bounded, split_lines
from collectors.shared.served_regions import unserved
from collectors.shared.tailing import Tail, loss, next_cursor, resolve
from metrics.observations import Parsed, Payload, SourceFault


@dataclass(frozen=True)
class ContactLog:
    """Contact-by-contact files of one channel."""

    plan: Plan
    tail: Tail

    def fetch(self, ask: Ask) -> Payload:
        """The next whole lines of the growing file; raises SourceFault."""
        return self.tail.fetch(ask)

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """The next whole lines of a finished file; raises SourceFault."""
        return self.tail.fetch_file(path, ask)

    def parse(self, payload: Payload) -> Parsed:
        """Count the contacts of a payload; raises SourceFault if the file lacks a column that the options name."""
        place = Place.of(payload.cursor)
        if place is None:
            return Parsed(cursor=payload.cursor)
        options: Options = self.plan.options
        lines = split_lines(payload.data, place, options.line_limit)
        names, skip = self._names(lines, place, payload)
        if not names:
            return Parsed(next_cursor(payload, lines.after), rejects=bounded([*loss(payload.cursor, payload.origin)]))
        table = read_table(lines, names, self._wanted(names), options, skip)
        records = read_records(table, lines, payload, place, self.plan)
        rejects = [*loss(payload.cursor, payload.origin), *lines.rejects, *table.rejects, *records.verdicts.rejects]
        return Parsed(
            cursor=next_cursor(payload, lines.after, header=list(names)),
            contributions=count(records, self.plan),
            rows=typed_rows(records, self.plan),
            rejects=bounded(rejects),
            read=lines.read - skip,
            excluded=records.verdicts.excluded(),
        )

    def _names(self, lines: Lines, place: Place, payload: Payload) -> tuple[tuple[str, ...], int]:
        """Names of the columns, and how many of these lines the header takes."""
        options: Options = self.plan.options
        if options.header is not True:
            return options.header, 0
        known = tuple(payload.cursor.get("header", ()))
        if place.offset and known:
            return known, 0
        if lines.rejects and (not lines.texts or lines.rejects[0].line < lines.numbers[0]):
            raise SourceFault("unreadable", f"{payload.origin}: the first line is no header", permanent=True)
        return column_names(lines, options, payload.origin), int(bool(lines.texts))

    def _wanted(self, names: tuple[str, ...]) -> set[str]:
        """Columns to read: those that the options or the row expectations name."""
        options: Options = self.plan.options
        expected = {expectation.column for expectation in self.plan.source.expects}
        expected |= {expectation.other for expectation in self.plan.source.expects if expectation.other}
        expected |= {name for expectation in self.plan.source.expects for name in expectation.when}
        return (options.named_columns() | expected) & set(names)


def build(plan: Plan) -> ContactLog:
    """Make the collector; raises ValueError where options and deliveries disagree."""
    check(plan)
    options: Options = plan.options
    head_lines = 2 if options.header is True else 1
    return ContactLog(plan, Tail(resolve(options.path, plan.home), head_lines))


def check(plan: Plan) -> None:
    """Raise ValueError unless measures, dimensions and the constant region fit the catalogue and `delivers`."""
    options: Options = plan.options
    where = f"channel {plan.channel.id}, source {plan.source.id}"
    made = set(options.measures) | set(options.zero)
    delivered = {delivery.measure for delivery in plan.source.delivers}
    if made != delivered:
        raise ValueError(f"{where}: `delivers` and `options` differ in the measures {sorted(made ^ delivered)}")
    check_dimensions(plan, where)
    codes = [options.region.constant] if options.region.constant else options.region.map.values()
    unknown = unserved(codes, plan.catalogue)
    if unknown:
        raise ValueError(f"{where}: unknown or unserved regions {sorted(unknown)}")


def check_dimensions(plan: Plan, where: str) -> None:
    """Raise ValueError unless the options make every dimension that is delivered, and know how fine its bands are."""
    dimensions = plan.options.dimensions
    carried = {name for delivery in plan.source.delivers for name in delivery.dimensions}
    if carried - set(dimensions):
        raise ValueError(
            f"{where}: `delivers` has dimensions that options do not make: {sorted(carried - set(dimensions))}"
        )
    unbanded = sorted(name for name, rule in dimensions.items() if rule.band and name not in plan.catalogue.accuracies)
    if unbanded:
        raise ValueError(f"{where}: dimensions.yaml gives no `accuracy` for the bands of {unbanded}")
