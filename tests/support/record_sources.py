"""A small catalogue and ready-made collectors for the tests of kinds that read records."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from collectors import Ask, Collector, Plan, kind_module, validate_options
from config.catalogue import (
    Catalogue,
    Channel,
    Kind,
    Level,
    Measure,
    Region,
    RuleBook,
    Source,
    Text,
)
from config.settings import ROOT, Settings
from metrics.observations import Interval, Parsed, Payload, SourceFault
from service.sources import from_environment

KEY = b"a key of the tests"
WORD = Text(zh="词", en="word")
COLLECTORS = ROOT / "collectors"
SHARED = ROOT.parent / "shared" / "data"


def region(code: str, parent: str | None, level: Level, served: bool = True) -> Region:
    return Region(code=code, parent=parent, level=level, kind="", name=WORD, short=WORD, served=served)


REGIONS = (
    region("100000", None, Level.NATION),
    region("440000", "100000", Level.PROVINCE),
    region("440100", "440000", Level.CITY),
    region("440300", "440000", Level.CITY),
    region("450000", "100000", Level.PROVINCE),
    region("450100", "450000", Level.CITY),
    region("710000", "100000", Level.PROVINCE, served=False),
)
MEASURES = {
    "contacts": (Kind.ADDITIVE, "n"),
    "answered": (Kind.ADDITIVE, "n"),
    "talk_s": (Kind.ADDITIVE, "s"),
    "agents_on_duty": (Kind.LEVEL, "n"),
    "queue_length": (Kind.LEVEL, "n"),
    "longest_wait": (Kind.PEAK, "s"),
}


def plan(source: dict[str, Any], interval_s: int = 60, zone: str = "Asia/Shanghai") -> Plan:
    noun = Source.model_validate(source)
    channel = Channel(id="desk", name=WORD, short=WORD, zone=zone, interval_s=interval_s, sources=(noun,))
    catalogue = Catalogue(
        measures={name: Measure(id=name, name=WORD, kind=kind, unit=unit) for name, (kind, unit) in MEASURES.items()},
        metrics={},
        channels={channel.id: channel},
        regions={place.code: place for place in REGIONS},
        dimensions={},
        codes={},
        rules=RuleBook(version="test", rules={}, trust={}, score={}),
        words={},
    )
    return Plan(catalogue, channel, noun, validate_options(noun), KEY, Settings().home_dir, from_environment)


def collector(source: dict[str, Any], interval_s: int = 60, zone: str = "Asia/Shanghai") -> Collector:
    built: Collector = kind_module(source["kind"]).build(plan(source, interval_s, zone))
    return built


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


def ask(start: str, end: str, cursor: dict[str, Any] | None = None, now: str | None = None) -> Ask:
    return Ask(Interval(at(start), at(end)), cursor or {}, at(now or end))


def rows(table: pd.DataFrame | None) -> list[list[Any]]:
    """A travelling table as plain lists, times in ISO, in the table's order."""
    if table is None:
        return []
    plain = table.assign(start=[moment.isoformat() for moment in table["start"]])
    return [list(row) for row in plain.itertuples(index=False)]


def case_folders(kind: str) -> list[Path]:
    return sorted(path.parent for path in (COLLECTORS / kind / "testcases").glob("*/expected.json"))


def judged(kind: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a test case expects, and what its collector makes of it, in the same form."""
    expected = json.loads((folder / "expected.json").read_text())
    given = expected.pop("given")
    source = {"kind": kind} | yaml.safe_load((folder / "source.yaml").read_text())
    reader = collector(source, given["interval_s"], given["zone"])
    file = next(folder.glob("payload*"))
    start, end = given["window"]
    try:
        payload = reader.fetch_file(file, ask(start, end, given.get("cursor"), given["fetched_at"]))
        found = told(reader.parse(payload))
    except SourceFault as fault:
        found = {"fault": fault.code, "permanent": fault.permanent, "detail": fault.detail}
    return expected, found


def told(parsed: Parsed) -> dict[str, Any]:
    tables = {"observations": parsed.observations, "contributions": parsed.contributions}
    return {name: rows(table) for name, table in tables.items() if table is not None} | {
        "rejects": [[entry.line, entry.rule, entry.code, entry.column, entry.value] for entry in parsed.rejects],
        "excluded": dict(parsed.excluded),
        "read": parsed.read,
        "cursor": dict(parsed.cursor),
    }


def payload(data: bytes, start: str, end: str, cursor: dict[str, Any] | None = None) -> Payload:
    return Payload(data, at(end), Interval(at(start), at(end)), "test", cursor or {})
