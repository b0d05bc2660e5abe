"""The collector of the kind `access_log`."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from collectors import Ask, Plan
from collectors.access_log.counting import CONTACTS, count, typed_rows
from collectors.access_log.options import Options
from collectors.access_log.parsing import line_pattern, parse_lines
from collectors.access_log.traffic import read_traffic
from collectors.shared.lines import Place, bounded, reject, split_lines
from collectors.shared.served_regions import unserved
from collectors.shared.tailing import Tail, loss, next_cursor, resolve
from metrics.observations import Parsed, Payload

LATENCY = ("web_latency_s", "web_latency_requests")
ALWAYS = ("web_visits", "web_requests", "web_errors", "web_client_errors")


@dataclass(frozen=True)
class AccessLog:
    """A web server's log of one channel."""

    plan: Plan
    tail: Tail
    pattern: re.Pattern[str] = field(repr=False)

    def fetch(self, ask: Ask) -> Payload:
        """The next whole lines of the growing log; raises SourceFault."""
        return self.tail.fetch(ask)

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """The next whole lines of a finished log, plain or gzip; raises SourceFault."""
        return self.tail.fetch_file(path, ask)

    def parse(self, payload: Payload) -> Parsed:
        """Count the requests of a payload."""
        place = Place.of(payload.cursor)
        if place is None:
            return Parsed(cursor=payload.cursor)
        options: Options = self.plan.options
        lines = split_lines(payload.data, place, options.line_limit)
        requests = parse_lines(lines, options, self.pattern)
        traffic = read_traffic(requests, lines, payload, self.plan)
        rejects = [*loss(payload.cursor, payload.origin), *lines.rejects, *requests.rejects, *traffic.verdicts.rejects]
        if traffic.visits.dropped:
            rejects.append(reject("AC-01", None, None, "visitors_overflow", str(traffic.visits.dropped)))
        visitors = {visitor: list(state) for visitor, state in traffic.visits.still_open.items()}
        return Parsed(
            cursor=next_cursor(payload, lines.after, visitors=visitors),
            contributions=count(traffic, lines, place, self.plan),
            rows=typed_rows(traffic),
            rejects=bounded(rejects),
            read=lines.read,
            excluded=traffic.verdicts.excluded(),
        )


def build(plan: Plan) -> AccessLog:
    """Make the collector; raises ValueError where options and deliveries disagree."""
    check(plan)
    options: Options = plan.options
    return AccessLog(plan, Tail(resolve(options.path, plan.home), head_lines=1), line_pattern(options))


def check(plan: Plan) -> None:
    """Raise ValueError unless measures, dimensions and regions fit the catalogue and `delivers`."""
    options: Options = plan.options
    where = f"channel {plan.channel.id}, source {plan.source.id}"
    possible = {*ALWAYS, *(LATENCY if options.latency else ()), *(CONTACTS if options.contact_paths else ())}
    for delivery in plan.source.delivers:
        if delivery.measure not in possible:
            raise ValueError(
                f"{where}: measure {delivery.measure!r} cannot be made; with these options there are {sorted(possible)}"
            )
        allowed = {"service_type", *options.dimensions} if delivery.measure in CONTACTS else set()
        if set(delivery.dimensions) - allowed:
            raise ValueError(f"{where}: dimensions of {delivery.measure!r} can be {sorted(allowed)}")
    codes = [options.region.constant] if options.region.constant else options.region.map.values()
    unknown = unserved(codes, plan.catalogue)
    if unknown:
        raise ValueError(f"{where}: unknown or unserved regions {sorted(unknown)}")
