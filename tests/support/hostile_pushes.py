"""Pushes that no honest system would send: wrong heads, wrong bodies, and bodies whose records are wrong one by one."""

import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tests.support.hostile_values import BROKEN_JSON, ESCAPED, NESTED, NUMBERS, REGIONS, TEXTS, spoil, times
from tests.support.push_world import TOKENS

FIELDS = ("measure", "region", "start", "value", "dimensions")
MEASURES = ("contacts", "offered", "answered", "abandoned", "talk_s", "queue_length", "longest_wait")
BOMB = gzip.compress(b" " * 30_000_000)
CHANNELS = (
    "nowhere",
    "..",
    "%2e%2e%2fhealth",
    "desk%00",
    "desk/",
    "DESK",
    "desk?x=1",
    "hall",
    "%ff",
    "desk%2f..%2fhall",
)


@dataclass(frozen=True)
class Push:
    """One request to the door."""

    path: str
    headers: dict[str, str]
    body: bytes


def pushes(chance: Random, now: datetime) -> Push:
    """One push; few are as they should be, so that there is something in the store to doubt."""
    body = _body(chance, now)
    headers = {
        "Authorization": f"Bearer {TOKENS['desk']}",
        "Idempotency-Key": f"{chance.getrandbits(48):x}" if chance.random() < 0.9 else "again",
        "Content-Type": "application/json",
    }
    path = "desk"
    match chance.randrange(20):
        case 0:
            body, headers["Content-Encoding"] = _packed(body, chance), "gzip"
        case 1:
            headers |= _wrong_head(chance)
        case 2:
            path = chance.choice(CHANNELS)
        case 3 | 4:
            body = spoil(body, chance)
    return Push(f"/ingest/v1/{path}", headers, body)


def _packed(body: bytes, chance: Random) -> bytes:
    packed = gzip.compress(body)
    return chance.choice((packed, packed[:-4], packed + b"x", packed * 2, BOMB, zlib.compress(body), body, b""))


def _wrong_head(chance: Random) -> dict[str, str]:
    return chance.choice(
        (
            {"Authorization": ""},
            {"Authorization": "Bearer x"},
            {"Authorization": "Basic " + "QQ" * 4000},
            {"Idempotency-Key": ""},
            {"Idempotency-Key": "k" * 5000},
            {"Idempotency-Key": "watchfloor:ingest\t*"},
            {"Content-Type": "text/csv"},
            {"Content-Type": "application/json; charset=utf-7"},
            {"Content-Encoding": "br"},
            {"Content-Encoding": "gzip, gzip"},
            {"Content-Length": "99999999999999999999"},
        )
    )


def _body(chance: Random, now: datetime) -> bytes:
    count = chance.choice((1, 1, 1, 2, 3, 8))
    records = ",".join(_record(chance, now) for _ in range(count))
    match chance.randrange(30):
        case 0:
            written = records
        case 1:
            written = f"[{records}]"
        case 2:
            written = f'{{"observations": [{records}], "observations": [{records}]}}'
        case 3:
            written = f'{{"observations": [{records}], {chance.choice(ESCAPED)}: {_any(chance)}}}'
        case 4:
            written = f'{{"observations": {_any(chance)}}}'
        case 5 | 6:
            written = f'{{"observations": [{records}], "revision": {_any(chance)}}}'
        case 7:
            written = '{"observations": [' + "{}," * 10_000 + "{}]}"
        case _:
            written = f'{{"observations": [{records}]}}'
    return written.encode("utf-8", "surrogatepass")


def _record(chance: Random, now: datetime) -> str:
    """A record in JSON; most have one thing wrong, some several, some none."""
    start = now.replace(second=0, microsecond=0) - timedelta(minutes=chance.randrange(2, 40))
    measure = chance.choice((*MEASURES, *("contacts",) * 5))
    services = ("{}", '{"service_type": "billing"}', '{"service_type": "package"}')
    fields = {
        "measure": json.dumps(measure),
        "region": chance.choice(('"440100"', '"440300"', '"440000"')),
        "start": json.dumps(start.isoformat()),
        "value": str(chance.choice((0, 1, 17, 400_000, 900_000, 999_999))),
        "dimensions": chance.choice(services) if measure == "contacts" else "{}",
    }
    pairs = [(f'"{name}"', text) for name, text in fields.items()]
    for _ in range(chance.choice((0, 0, 0, 1, 1, 1, 1, 2))):
        _break(pairs, chance, now)
    return "{" + ",".join(f"{name}:{text}" for name, text in pairs) + "}"


def _break(pairs: list[tuple[str, str]], chance: Random, now: datetime) -> None:
    """Change one thing about a record."""
    at = chance.randrange(len(pairs))
    name = pairs[at][0]
    match chance.randrange(12):
        case 0:
            del pairs[at]
        case 1:
            pairs.append((name, _any(chance)))
        case 2:
            pairs.append((chance.choice((*ESCAPED, '"note"', '""', '"__proto__"')), _any(chance)))
        case 3 | 4:
            pairs[at] = ('"start"', json.dumps(chance.choice(times(now))))
        case 5:
            pairs[at] = ('"region"', json.dumps(chance.choice(REGIONS)))
        case 6:
            pairs[at] = (
                '"dimensions"',
                f"{{{json.dumps(chance.choice(('service_type', 'handling', 'x')))}: {_any(chance)}}}",
            )
        case 7 | 8:
            pairs[at] = ('"value"', chance.choice(NUMBERS))
        case _:
            pairs[at] = (name, _any(chance))


def _any(chance: Random) -> str:
    """Any JSON value, or what is none."""
    kind = chance.randrange(40)
    if kind == 0:
        return chance.choice(BROKEN_JSON)
    if kind < 12:
        return chance.choice(NUMBERS)
    if kind < 17:
        return chance.choice(NESTED)
    return chance.choice(ESCAPED) if kind < 21 else json.dumps(chance.choice(TEXTS))
