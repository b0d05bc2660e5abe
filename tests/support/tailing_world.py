"""A small catalogue, and ways to read a source to its end, for the tests of the file kinds."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

import collectors
from collectors import Ask
from config.catalogue import Catalogue, Channel, Delivery, Kind, Level, Measure, Region, RuleBook, Text
from metrics.observations import Interval, Parsed, Payload, Reject
from tests.support.installation import installation

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = b"a key of the tests"


def region(code: str, parent: str | None, level: Level, served: bool = True) -> Region:
    name = Text(zh=code, en=code)
    return Region(code=code, parent=parent, level=level, kind=level, name=name, short=name, served=served)


REGIONS = [
    region("100000", None, Level.NATION),
    region("440000", "100000", Level.PROVINCE),
    region("440100", "440000", Level.CITY),
    region("440300", "440000", Level.CITY),
    region("710000", "100000", Level.PROVINCE, served=False),
]
NAMED = Text(zh="试", en="test")
CATALOGUE = Catalogue(
    measures={},
    metrics={},
    channels={},
    regions={region.code: region for region in REGIONS},
    dimensions={},
    codes={},
    rules=RuleBook(version="test", rules={}, trust={}, score={}),
    words={},
)


def build(kind: str, options: dict[str, Any], *, zone: str = "Asia/Shanghai", interval_s: int = 60, **more: Any) -> Any:
    """A collector whose source delivers every measure that the options make, with every dimension."""
    dimensions = tuple(options.get("dimensions", {}))
    measures = more.pop("measures", None) or (*options.get("measures", {}), *options.get("zero", ()))
    delivers = [Delivery(measure=name, dimensions=more.get("carried", dimensions)) for name in measures]
    source = {"id": "files", "kind": kind, "delivers": delivers, "options": options, "expects": more.get("expects", ())}
    channel = Channel(id="test", name=NAMED, short=NAMED, zone=zone, interval_s=interval_s, sources=(source,))
    known = {name: Measure(id=name, name=NAMED, kind=Kind.ADDITIVE, unit="n", maximum=1e6) for name in measures}
    nouns = {"measures": known, "accuracies": more.get("accuracies", {})}
    return collectors.build(CATALOGUE.model_copy(update=nouns), channel, channel.sources[0], installation(KEY))


def ask(cursor: Any = None, now: datetime = NOW) -> Ask:
    return Ask(Interval(now, now), json.loads(json.dumps(cursor or {})), now)


@dataclass
class Ledger:
    """What the store would remember: the newest contributions of each contact."""

    contacts: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    excluded: Counter[str] = field(default_factory=Counter)
    read: int = 0
    payloads: int = 0
    largest: int = 0
    cursor: Any = None

    def keep(self, payload: Payload, parsed: Parsed) -> None:
        self.payloads += 1
        self.largest = max(self.largest, len(payload.data))
        self.cursor = json.loads(json.dumps(parsed.cursor))
        self.rejects += parsed.rejects
        self.excluded.update(parsed.excluded)
        self.read += parsed.read
        if parsed.contributions is None:
            return
        fresh: dict[str, list[tuple[Any, ...]]] = {}
        for contact, *rest in parsed.contributions.itertuples(index=False):
            fresh.setdefault(contact, []).append(tuple(rest))
        self.contacts |= fresh

    def sums(self) -> dict[str, float]:
        found: Counter[str] = Counter()
        for parts in self.contacts.values():
            for measure, *_, value in parts:
                found[measure] += value
        return dict(found)

    def parts(self) -> Counter[tuple[Any, ...]]:
        """Every row without its key, with how often it occurs."""
        return Counter(part for parts in self.contacts.values() for part in parts)


def read_file(collector: Any, path: Path, ledger: Ledger | None = None) -> Ledger:
    """Back-fill a file to its end."""
    ledger = ledger or Ledger()
    cursor: Any = {}
    while True:
        payload = collector.fetch_file(path, ask(cursor))
        ledger.keep(payload, collector.parse(payload))
        cursor = ledger.cursor
        if not payload.more:
            return ledger


def follow(collector: Any, ledger: Ledger) -> Ledger:
    """Poll a growing source until it has nothing more; the cursor lives in the ledger."""
    for _ in range(10_000):
        payload = collector.fetch(ask(ledger.cursor))
        ledger.keep(payload, collector.parse(payload))
        if not payload.more:
            return ledger
    raise AssertionError("the source never says that there is no more")


def with_tail(collector: Any, **changes: Any) -> Any:
    return replace(collector, tail=replace(collector.tail, **changes))


def pack(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data))
    return path


def load_case(folder: Path) -> tuple[Any, Path, dict[str, Any]]:
    """The collector, the input and the expectation of a testcase folder."""
    settings = yaml.safe_load((folder / "source.yaml").read_text(encoding="utf-8"))
    [source] = folder.glob("input.*")
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return build(folder.parents[1].name, **settings), source, expected


def told(rejects: Iterable[Reject]) -> list[list[Any]]:
    """Rejects as a testcase writes them."""
    return [[one.line, one.rule, one.column, one.code, one.value] for one in rejects]
