"""Requests of a web log into contributions and typed rows."""

import zlib

import numpy as np
import numpy.typing as npt
import pandas as pd

from collectors import Plan
from collectors.access_log.options import Options
from collectors.access_log.traffic import Traffic
from collectors.shared.contributions import Coded, ContributionTable, dimension_keys, starts_of
from collectors.shared.lines import Lines, Place

CONTACTS = ("contacts", "served_without_agent")


def count(traffic: Traffic, lines: Lines, place: Place, plan: Plan) -> pd.DataFrame:
    """One row a request (or visit, or contact) and measure, keyed by the line's place in its file."""
    options: Options = plan.options
    length = len(traffic.requests)
    starts = starts_of(traffic.seconds, traffic.verdicts.counted, plan.channel)
    at = traffic.requests.positions
    keys = [place.key(int(lines.offsets[one]), zlib.crc32(lines.texts[one])) for one in at]
    table = ContributionTable(keys, traffic.regions, starts)
    dimensions = {name: Coded.same(value, length) for name, value in options.dimensions.items()}
    dimensions["service_type"] = traffic.types
    plain = Coded.same("", length)
    for delivery in plan.source.delivers:
        mask = traffic.verdicts.counted & counted_by(delivery.measure, traffic, options)
        rows = np.flatnonzero(mask)
        values = traffic.latency[rows] if delivery.measure == "web_latency_s" else np.ones(len(rows))
        named = {name: dimensions[name] for name in delivery.dimensions}
        table.add(delivery.measure, rows, dimension_keys(named, length) if named else plain, values)
    return table.frame()


def counted_by(measure: str, traffic: Traffic, options: Options) -> npt.NDArray[np.bool_]:
    """Requests that a measure counts."""
    status = traffic.status
    if measure in CONTACTS:
        return traffic.visits.first_of_type if options.contacts_per == "visit" else traffic.types.codes > 0
    return {
        "web_requests": np.ones(len(status), dtype=bool),
        "web_client_errors": (status >= 400) & (status < 500),
        "web_errors": (status >= 500) & (status < 600),
        "web_visits": traffic.visits.begins,
        "web_latency_s": ~np.isnan(traffic.latency),
        "web_latency_requests": ~np.isnan(traffic.latency),
    }[measure]


def typed_rows(traffic: Traffic) -> pd.DataFrame:
    """Every request that could be typed, counted or left out; nothing of its client, agent or path."""
    kept = traffic.verdicts.unrejected()
    moments = pd.DatetimeIndex(traffic.seconds.astype("datetime64[s]")).tz_localize("UTC")
    return pd.DataFrame(
        {
            "line": traffic.verdicts.lines[kept],
            "arrived": moments[kept],
            "status": traffic.status[kept].astype(np.float64),
            "latency_s": traffic.latency[kept],
            "excluded": traffic.verdicts.left_out[kept],
        }
    )
