"""The little world of the examples, and the reading of an example file into evidence."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import yaml

from config.catalogue import Catalogue, Channel
from config.settings import ROOT
from data_quality.evidence import BATCH_COLUMNS, OBSERVED_COLUMNS, ROW_CHECK_COLUMNS, Evidence, empty
from metrics.observations import Interval

EXAMPLES = ROOT / "data_quality" / "examples"
ZONE = ZoneInfo("Asia/Shanghai")
DAY = "2026-03-02"
CITIES = ("110100", "130100", "130200")


def world() -> Catalogue:
    """The catalogue of the examples, with the product's own rule book and words."""
    content = yaml.safe_load((EXAMPLES / "catalogue.yaml").read_text(encoding="utf-8"))
    content["rules"] = yaml.safe_load((ROOT / "config" / "rules.yaml").read_text(encoding="utf-8"))
    content["words"] = yaml.safe_load((ROOT / "config" / "words" / "rules.yaml").read_text(encoding="utf-8"))
    return Catalogue.model_validate(content)


def at(clock: str) -> datetime:
    """A time of the examples' day, or a whole date and time, Asia/Shanghai."""
    return datetime.fromisoformat(clock if "-" in clock else f"{DAY}T{clock}").replace(tzinfo=ZONE)


def observations(rows: list[Mapping[str, Any]], channel: str = "hotline") -> pd.DataFrame:
    """Rows of an example: `values` gives a value by region; received a minute and a half after the start."""
    table = []
    for row in rows:
        start = at(row["start"])
        received = at(row["received_at"]) if "received_at" in row else start + timedelta(seconds=90)
        for region, value in row["values"].items():
            number = float("nan") if value is None else float(value)
            dimension, reported = row.get("dimension", ""), row.get("reported", False)
            table.append((channel, row["measure"], str(region), dimension, start, number, reported, received))
    return _typed(table, OBSERVED_COLUMNS)


def batches(rows: Sequence[Mapping[str, Any]], channel: str = "hotline") -> pd.DataFrame:
    """Batches of an example; a good one needs source, start, end and fetched_at only."""
    table = [
        (f"b{number}", channel, row["source"], at(row["start"]), at(row["end"]), at(row["fetched_at"]),
         row.get("read", 10), row.get("error", ""), not row.get("error"), row.get("replaced", False))
        for number, row in enumerate(rows, start=1)
    ]  # fmt: skip
    return _typed(table, BATCH_COLUMNS)


def refused(rows: list[Mapping[str, Any]], laid: pd.DataFrame) -> pd.DataFrame:
    """Records of an example that a collector refused, as what the rules showed of the first batch of their source."""
    by_rule: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        by_rule.setdefault((row["source"], row["rule"]), []).append(row)
    table = []
    for (source, rule), broken in by_rule.items():
        batch = laid[laid["source"] == source].iloc[0]
        lines = tuple({name: row.get(name) for name in ("line", "column", "code", "value")} for row in broken)
        counts = len(broken), max(int(batch["read"]), len(broken))
        table.append((batch["batch"], batch["channel"], source, rule, "", "fail", *counts, broken[0]["code"], lines))
    return _typed(table, ROW_CHECK_COLUMNS)


def whole(channel: Channel, interval: tuple[str, str]) -> list[Mapping[str, Any]]:
    """One good batch of every source over the interval, 20 s after its end."""
    fetched = (at(interval[1]) + timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%S")
    return [
        {"source": source.id, "start": interval[0], "end": interval[1], "fetched_at": fetched}
        for source in channel.sources
    ]


def evidence(example: Mapping[str, Any], catalogue: Catalogue) -> Evidence:
    """What an example lays before the audit."""
    channel = catalogue.channels[example.get("channel", "hotline")]
    interval = tuple(example["interval"])
    asked = at(example.get("asked_since", "09:00"))
    laid = batches(example.get("batches", whole(channel, interval)), channel.id)
    return Evidence(
        catalogue,
        at(example["now"]),
        Interval(at(interval[0]), at(interval[1])),
        observations(example.get("observations", []), channel.id),
        laid,
        refused(example.get("rejects", []), laid),
        asked_since={(channel.id, source.id): asked for source in channel.sources},
        channels=(channel.id,),
    )


def _typed(table: list[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    blank = empty(columns)
    frame = pd.DataFrame(table, columns=list(columns))
    for name in columns:
        if isinstance(blank[name].dtype, pd.DatetimeTZDtype):
            frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
        elif blank[name].dtype != object:
            frame[name] = frame[name].astype(blank[name].dtype)
    return frame
