"""Requests of a web log: what is left out, what is refused, and how the others belong together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors import Plan
from collectors.access_log.options import Options
from collectors.access_log.parsing import Requests, is_under, path_of, seconds_of
from collectors.access_log.visits import Visits, follow_visits
from collectors.shared.contributions import Coded
from collectors.shared.lines import Lines
from collectors.shared.pseudonyms import pseudonym
from collectors.shared.record_verdicts import RecordVerdicts, refuse_times, time_faults
from collectors.shared.served_regions import place_records
from metrics.observations import Payload

FACTORS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
LONGEST_LATENCY_S = 86_400.0


@dataclass(frozen=True)
class Traffic:
    """Everything known of the requests of one payload."""

    requests: Requests
    verdicts: RecordVerdicts
    seconds: npt.NDArray[np.int64]
    status: npt.NDArray[np.int64]
    latency: npt.NDArray[np.float64]
    """Seconds; NaN where not logged."""
    regions: Coded
    types: Coded
    """Service type of a completed action under a contact path; '' for every other request."""
    visits: Visits


def read_traffic(requests: Requests, lines: Lines, payload: Payload, plan: Plan) -> Traffic:
    """Judge every request: what is left out, what is refused, and how the others belong together."""
    options: Options = plan.options
    verdicts = RecordVerdicts.of(lines.numbers[requests.positions])
    fields = requests.fields
    paths = Coded.merged(fields["request"].codes, [path_of(text) for text in fields["request"].texts])
    bots = [part.lower() for part in options.bots]
    verdicts.leave_out(fields["agent"].where(lambda agent: any(part in agent.lower() for part in bots)), "bot")
    ignored = paths.where(lambda path: any(is_under(path, prefix) for prefix in options.ignore_paths))
    verdicts.leave_out(ignored, "ignored_path")
    seconds = fields["time"].each(np.array([seconds_of(text) for text in fields["time"].texts], dtype=np.int64))
    faults = time_faults(seconds, payload.fetched_at)
    faults[seconds == 0] = "not_a_time"
    refuse_times(faults, "time", fields["time"].text, verdicts)
    latency = read_latency(fields, options, verdicts)
    regions = read_regions(paths, requests, plan, verdicts)
    status = fields["status"].each(np.array([int(text) for text in fields["status"].texts], dtype=np.int64))
    types = contact_types(paths, status, options)
    visits = read_visits(fields, seconds, types, verdicts, payload.cursor.get("visitors", {}), plan)
    return Traffic(requests, verdicts, seconds, status, latency, regions, types, visits)


def read_latency(fields: Mapping[str, Coded], options: Options, verdicts: RecordVerdicts) -> npt.NDArray[np.float64]:
    """Seconds that each request took; refuses what is no possible time."""
    if options.latency is None:
        return np.full(len(verdicts.lines), math.nan)
    name, factor = options.latency.field, FACTORS[options.latency.unit]
    column = fields[name]
    values = pd.to_numeric(pd.Series(column.texts, dtype=object), errors="coerce").to_numpy(dtype=float) * factor
    unfit = ~((values >= 0) & (values <= LONGEST_LATENCY_S)) & np.array(
        [bool(text) for text in column.texts], dtype=bool
    )
    verdicts.refuse(column.each(unfit), "TY-01", "not_a_number", name, column.text)
    return column.each(np.where(unfit, math.nan, values))


def read_regions(paths: Coded, requests: Requests, plan: Plan, verdicts: RecordVerdicts) -> Coded:
    """The region of each request; refuses those that are no served region (AC-02)."""
    rule = plan.options.region
    if rule.field is None:
        return Coded.same(rule.constant, len(requests))
    column = requests.fields.get(rule.field)
    if rule.field == "first_segment":
        column = Coded.merged(
            paths.codes, [f"{path}/".split("/")[1] if path.startswith("/") else "" for path in paths.texts]
        )
    assert column is not None, "Options.fields_exist"  # noqa: S101 - held by the options' own check
    return place_records(column, rule.field, rule.map, plan.catalogue, verdicts)


def contact_types(paths: Coded, status: npt.NDArray[np.int64], options: Options) -> Coded:
    """The service type of each request that is a completed action (2xx, 3xx) under a contact path, else ''."""
    longest_first = sorted(options.contact_paths, key=len, reverse=True)
    types = [
        next((options.contact_paths[prefix] for prefix in longest_first if is_under(path, prefix)), "")
        for path in paths.texts
    ]
    completed = (status >= 200) & (status < 400)
    return Coded.merged(np.where(completed, paths.codes + 1, 0), ["", *types])


def read_visits(
    fields: Mapping[str, Coded],
    seconds: npt.NDArray[np.int64],
    types: Coded,
    verdicts: RecordVerdicts,
    before: Mapping[str, object],
    plan: Plan,
) -> Visits:
    """Visits of the requests that count, spread over all requests."""
    options: Options = plan.options
    client, agent = fields[options.client], fields["agent"]
    pairs, visitor = np.unique(client.codes * max(len(agent.texts), 1) + agent.codes, return_inverse=True)
    texts = [(client.texts[pair // len(agent.texts)], agent.texts[pair % len(agent.texts)]) for pair in pairs.tolist()]
    names = [pseudonym(plan.pseudonym_key, "\n".join(pair))[:16] for pair in texts]
    at = np.flatnonzero(verdicts.counted)
    kinds = [types.texts[code] for code in types.codes[at]]
    people = [names[code] for code in visitor[at]]
    found = follow_visits(people, seconds[at], kinds, before, options.visit_gap_s, options.visitors_kept)
    begins, first = np.zeros(len(seconds), dtype=bool), np.zeros(len(seconds), dtype=bool)
    begins[at], first[at] = found.begins, found.first_of_type
    return Visits(begins, first, found.still_open, found.dropped)
