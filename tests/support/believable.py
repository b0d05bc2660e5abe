"""A believable snapshot of a whole catalogue, in which every state a screen can meet occurs.

`Plan` names where each state sits, so that a test can ask for it by name instead of searching.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pandas as pd

from config.catalogue import NATION, Catalogue, Level, Metric
from metrics.readings import (
    FINDINGS,
    FLOW,
    READINGS,
    SCORES,
    SOURCES,
    TREND,
    WINDOWS,
    Snapshot,
)

AT = datetime(2026, 11, 21, 10, 23, 40, tzinfo=UTC)
UNTIL = AT.replace(second=0)
PARTS = {
    "entry": ("ivr", "bot", "self_service", "human_queue"),
    "service_type": ("bill", "tariff", "broadband", "mobile", "plan", "complaint"),
    "handling": ("self_served", "first_line", "expert", "field_order"),
    "outcome": ("resolved_first", "transferred", "abandoned", "ticket_open", "repeat_24h", "waiting"),
}
"""What the flow is made of where the catalogue has no code set of its own."""


@dataclass(frozen=True)
class Plan:
    """Where each state sits: channels and provinces of this catalogue."""

    stale: str
    absent: str
    critical: str
    warning: str
    doubtful: str
    zero_over_zero: str
    too_few: str
    provisional: str


def plan(catalogue: Catalogue) -> Plan:
    """The places of the states: the last two channels, and provinces spread over the country."""
    channels = sorted(catalogue.channels.values(), key=lambda channel: channel.order)
    provinces = catalogue.at_level(Level.PROVINCE)
    spread = [provinces[index * len(provinces) // 7] for index in (6, 5, 4, 3, 2, 1)]
    return Plan(channels[-1].id, channels[-2].id, *spread)


def believable(catalogue: Catalogue, at: datetime = AT, seed: int = 7) -> Snapshot:
    """Every frame of a snapshot, filled for the whole catalogue; the same seed gives the same figures."""
    random = Random(seed)
    places = plan(catalogue)
    return Snapshot(
        generation=1,
        at=at,
        simulated=True,
        frames={
            READINGS.name: _readings(catalogue, places, at.replace(second=0), random),
            TREND.name: _trend(catalogue, at.replace(second=0), random),
            FLOW.name: _flow(catalogue, random),
            SOURCES.name: _sources(catalogue, places, at, random),
            FINDINGS.name: _findings(catalogue, places, at),
            SCORES.name: _scores(catalogue, places, random),
        },
    )


def empty(at: datetime = AT) -> Snapshot:
    """The snapshot of the first instant: nothing was read yet."""
    specs = (READINGS, TREND, FLOW, SOURCES, FINDINGS, SCORES)
    return Snapshot(0, at, False, {spec.name: spec.empty() for spec in specs})


def delivered(catalogue: Catalogue, metric: Metric, channel: str) -> bool:
    """Whether a channel's sources deliver every measure of a metric."""
    formula = f"{metric.formula.numerator} {metric.formula.denominator or ''}"
    return all(catalogue.delivery(channel, measure) for measure in re.findall(r"[a-z]\w*", formula))


def _readings(catalogue: Catalogue, places: Plan, until: datetime, random: Random) -> pd.DataFrame:
    rows = []
    for window in WINDOWS:
        for metric in catalogue.metrics.values():
            for region, channel in _keys(catalogue, metric):
                rows.append(_reading(metric, window, region, channel, places, until, random))
    frame = pd.DataFrame(rows, columns=READINGS.columns)
    keys = ["metric", "window", "region", "channel", "state", "trust", "reason"]
    frame[keys] = frame[keys].astype("category")
    frame["at"] = frame["at"].astype("datetime64[s, UTC]")
    return frame


def _keys(catalogue: Catalogue, metric: Metric) -> list[tuple[str, str]]:
    provinces = catalogue.at_level(Level.PROVINCE)
    keys = [(region, "") for region in (NATION, *provinces, *catalogue.at_level(Level.CITY))]
    having = [channel for channel in catalogue.channels if delivered(catalogue, metric, channel)]
    return keys + [(region, channel) for region in (NATION, *provinces) for channel in having]


def _reading(
    metric: Metric, window: str, region: str, channel: str, places: Plan, until: datetime, random: Random
) -> tuple[object, ...]:
    denominator = float(random.randint(400, 9000)) * (30 if region == NATION else 1)
    value = _value(metric, region, places, random)
    at, trust, reason = until, "sound", ""
    if channel == places.stale:
        at, trust = until - timedelta(minutes=47), "stale"
        reason = f"trust.source_stale|{channel}|{at.isoformat()}"
    elif channel == places.absent:
        return (metric.id, window, region, channel, *[math.nan] * 3, 0.0, math.nan, pd.NaT, "no_value", "absent",
                f"trust.source_absent|{channel}")  # fmt: skip
    elif region == places.zero_over_zero and metric.formula.denominator:
        return (metric.id, window, region, channel, math.nan, 0.0, 0.0, 0.0, math.nan, at, "no_value", trust, reason)
    elif region == places.doubtful:
        trust, reason = "doubtful", "trust.channel_missing|" + places.absent
    elif region == places.provisional and metric.attribution == "arrival_cohort" and window == "15min":
        trust, reason = "provisional", "trust.cohort_open"
    few = region == places.too_few and metric.unit == "ratio"
    n = 7.0 if few else denominator
    state = "too_few" if few else _state(metric, value)
    previous = value * random.uniform(0.93, 1.07)
    numerator = value * n / metric.formula.scale if metric.formula.denominator else value
    return (metric.id, window, region, channel, value, numerator, n if metric.formula.denominator else math.nan,
            n, previous, at, state, trust, reason)  # fmt: skip


def _value(metric: Metric, region: str, places: Plan, random: Random) -> float:
    if metric.band is not None:
        return random.uniform(metric.band[0] * 0.96, metric.band[1] * 1.03)
    if metric.target is None:
        whole = 40 if region == NATION else 1
        bounds = {"ratio": (0.15, 0.6), "s": (90, 320), "n": (3 * whole, 60 * whole), "per_10k": (0.4, 2.5)}
        low, high = bounds.get(metric.unit, (60, 95))
        return float(round(random.uniform(low, high), 0 if metric.unit == "n" else 4))
    gap = abs((metric.warning if metric.warning is not None else metric.target * 0.9) - metric.target)
    worse = {places.critical: 2.1, places.warning: 0.6}.get(region, random.choice((-0.9, -0.7, -0.4, -0.2, 0.5)))
    value = metric.target + worse * gap * random.uniform(0.9, 1.1) * (1 if metric.better == "down" else -1)
    ceiling = 1.0 if metric.unit == "ratio" else math.inf
    return min(ceiling, max(0.0, value))


def _state(metric: Metric, value: float) -> str:
    if metric.band is not None:
        return "good" if metric.band[0] <= value <= metric.band[1] else "warning"
    if metric.target is None:
        return "no_target"
    sign = 1 if metric.better == "down" else -1
    limit = metric.warning if metric.warning is not None else metric.target
    if (value - metric.target) * sign <= 0:
        return "good"
    return "warning" if (value - limit) * sign <= 0 else "critical"


def _trend(catalogue: Catalogue, until: datetime, random: Random) -> pd.DataFrame:
    starts = [until - timedelta(minutes=5 * back) for back in range(24, 0, -1)]
    rows = []
    for metric in catalogue.metrics.values():
        keys = [(NATION, ""), *((code, "") for code in catalogue.at_level(Level.PROVINCE))]
        keys += [(NATION, channel) for channel in catalogue.channels if delivered(catalogue, metric, channel)]
        for region, channel in keys:
            middle = metric.target or (sum(metric.band) / 2 if metric.band else 120.0)
            for index, start in enumerate(starts):
                wave = 1 + 0.05 * math.sin(index / 3 + len(region + channel)) + random.uniform(-0.02, 0.02)
                value = math.nan if random.random() < 0.01 else middle * wave
                rows.append((metric.id, region, channel, start, value))
    frame = pd.DataFrame(rows, columns=TREND.columns)
    frame[["metric", "region", "channel"]] = frame[["metric", "region", "channel"]].astype("category")
    return frame


def _flow(catalogue: Catalogue, random: Random) -> pd.DataFrame:
    codes = {stage: tuple(catalogue.codes.get(stage, {})) or known for stage, known in PARTS.items()}
    nation: dict[tuple[str, ...], float] = {}
    for rank, channel in enumerate(sorted(catalogue.channels.values(), key=lambda channel: channel.order)):
        volume = 30_000 / (1 + rank) ** 1.1
        for path, share in _paths(codes, rank, random):
            nation[(channel.id, *path)] = float(round(volume * share))
    provinces = catalogue.at_level(Level.PROVINCE)
    places = {NATION: 1.0} | {code: random.uniform(0.2, 1.8) / len(provinces) for code in provinces}
    rows = [
        (window, region, *path, float(round(contacts * share * span)))
        for window, span in (("15min", 1.0), ("60min", 4.0), ("today", 40.0))
        for region, share in places.items()
        for path, contacts in nation.items()
        if round(contacts * share * span) > 0
    ]
    frame = pd.DataFrame(rows, columns=FLOW.columns)
    keys = FLOW.columns[:-1]
    frame[keys] = frame[keys].astype("category")
    return frame


def _paths(codes: dict[str, tuple[str, ...]], rank: int, random: Random) -> list[tuple[tuple[str, ...], float]]:
    """Plausible paths of one channel with their shares; some stages untold, some outcomes unexplained."""
    entries = codes["entry"][rank % len(codes["entry"]) :][:2] or ("",)
    weights: dict[tuple[str, ...], float] = {}
    for entry in ("", *entries) if rank == 6 else entries:
        for service in codes["service_type"]:
            for handling in random.sample(codes["handling"], 2):
                for outcome in (codes["outcome"][0], random.choice((*codes["outcome"][1:], ""))):
                    told = handling if outcome else ""
                    path = (entry, service, told, outcome)
                    weight = random.paretovariate(1.3) * (3.0 if outcome == codes["outcome"][0] else 1.0)
                    weights[path] = weights.get(path, 0.0) + weight * (1.0 if outcome else 0.2)
    total = sum(weights.values())
    return [(path, weight / total) for path, weight in weights.items()]


def _sources(catalogue: Catalogue, places: Plan, at: datetime, random: Random) -> pd.DataFrame:
    rows = []
    for channel in catalogue.channels.values():
        for source in channel.sources:
            last: datetime | None = at - timedelta(seconds=random.randint(3, 50))
            state, error, since = "sound", "", None
            if channel.id == places.stale:
                last, state = at - timedelta(minutes=47), "stale"
                error, since = "fault.timeout|10.2.0.7:8443, 10 s", at - timedelta(minutes=46)
            if channel.id == places.absent:
                last, state = None, "absent"
                error, since = "fault.unauthorised|token refused (401)", at - timedelta(hours=9, minutes=12)
            covered = None if last is None else last - timedelta(seconds=channel.interval_s)
            lag = math.nan if covered is None else (at - covered).total_seconds()
            rows.append((channel.id, source.id, source.kind, state, last, covered, lag, error, since, True))
    frame = pd.DataFrame(rows, columns=SOURCES.columns)
    for column in ("last_success", "covered_until", "since"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def _findings(catalogue: Catalogue, places: Plan, at: datetime) -> pd.DataFrame:
    channels = tuple(catalogue.channels)
    sums = {"reported": 1250.0, "expected": 1125.0, "difference": 125.0}
    parts = {"offered": 1250, "answered": 118, "abandoned": 7, "flowed_out": 0, "waiting": 0, "difference": 1125}
    kinds = (
        ("CP-01", "blocker", "fail", places.absent, "", "", 9 * 60 + 12, 552, 552, {"missing": 552}),
        ("TM-03", "major", "fail", places.stale, "", "", 46, 46, 60, {"age_s": 2820}),
        ("AC-05", "major", "fail", channels[0], places.doubtful, "offered", 25, 5, 15, sums),
        ("AC-03", "major", "fail", channels[0], places.critical, "offered", 12, 3, 15, parts),
        ("CP-02", "minor", "fail", channels[1], places.warning, "contacts", 64, 12, 333, {"missing": 12}),
        ("TM-04", "minor", "error", channels[2], "", "", 130, 0, 0, {"skew_s": 75}),
    )
    rows = [
        (
            rule,
            severity,
            state,
            channel,
            "",
            region,
            measure,
            at - timedelta(minutes=age),
            at,
            bad,
            of,
            json.dumps(facts),
        )
        for rule, severity, state, channel, region, measure, age, bad, of, facts in kinds
    ]
    return pd.DataFrame(rows, columns=FINDINGS.columns)


def _scores(catalogue: Catalogue, places: Plan, random: Random) -> pd.DataFrame:
    keys = [("nation", NATION)]
    keys += [("province", code) for code in catalogue.at_level(Level.PROVINCE)]
    keys += [
        ("source", f"{channel.id}/{source.id}") for channel in catalogue.channels.values() for source in channel.sources
    ]
    rows = []
    for kind, key in keys:
        bad = {places.doubtful: 22.0, places.critical: 41.0}.get(key, random.uniform(0, 9))
        blind = key.split("/")[0] == places.absent or key == places.too_few
        marks = [max(0.0, 100 - bad * random.uniform(0.3, 1.2)) for _ in range(4)]
        total = sum(mark * weight for mark, weight in zip(marks, (0.30, 0.35, 0.20, 0.15), strict=True))
        for dimension, score in zip(
            ("completeness", "accuracy", "timeliness", "authenticity", "total"), (*marks, total), strict=True
        ):
            coverage = random.uniform(0.3, 0.9) if blind else random.uniform(0.96, 1.0)
            rows.append((kind, key, dimension, math.nan if blind and random.random() < 0.5 else score, coverage))
    return pd.DataFrame(rows, columns=SCORES.columns)
