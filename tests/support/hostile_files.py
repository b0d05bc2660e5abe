"""Files that no honest system would write, for each kind that reads files."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tests.support.hostile_pushes import _body as push_body
from tests.support.hostile_values import NUMBERS, REGIONS, TEXTS, spoil, times

BOMB = gzip.compress(gzip.compress(b"\n" * 60_000_000)), gzip.compress(b"0," * 20_000_000)


@dataclass(frozen=True)
class HostileFile:
    """Bytes that stand in a channel's source."""

    channel: str
    name: str
    data: bytes


def files(chance: Random, now: datetime) -> HostileFile:
    """One file; few are as they should be."""
    channel, (name, write) = chance.choice(list(WRITERS.items()))
    data = write(chance, now)
    match chance.randrange(12):
        case 0 | 1:
            data = spoil(data, chance)
        case 2:
            packed = gzip.compress(data)
            data = chance.choice((packed, packed[:-3], packed + b"x", packed * 2, packed[:5] + b"\xff" + packed[6:]))
        case 3 if chance.random() < 0.05:
            data = chance.choice(BOMB)
    return HostileFile(channel, name, data)


def _moment(chance: Random, now: datetime, form: str = "") -> str:
    honest = now - timedelta(seconds=chance.randrange(120, 36_000))
    if chance.random() < 0.7:
        return honest.strftime(form) if form else honest.isoformat()
    return chance.choice(times(now))


def _cell(chance: Random, honest: str) -> str:
    return honest if chance.random() < 0.85 else chance.choice((*TEXTS, *NUMBERS, *REGIONS))


def _calls(chance: Random, now: datetime) -> bytes:
    written = io.StringIO()
    out = csv.writer(written, lineterminator=chance.choice(("\n", "\r\n")))
    columns = ["id", "caller", "arrived", "city", "service", "outcome", "talk"]
    if chance.random() < 0.05:
        columns[chance.randrange(7)] = chance.choice(TEXTS)
    out.writerow(columns)
    for _ in range(chance.randrange(1, 12)):
        row = [
            _cell(chance, f"c{chance.randrange(10**6)}"),
            _cell(chance, "13900000000"),
            _moment(chance, now),
            _cell(chance, chance.choice(("440100", "440300"))),
            _cell(chance, chance.choice(("billing", "package"))),
            _cell(chance, "answered"),
            _cell(chance, str(chance.randrange(0, 9000))),
        ]
        out.writerow(row[: chance.choice((7,) * 12 + (3, 6))] + chance.choice(([],) * 12 + (["more"],)))
    return written.getvalue().encode("utf-8", "surrogatepass")


def _accesses(chance: Random, now: datetime) -> bytes:
    lines = []
    for _ in range(chance.randrange(1, 12)):
        path = _cell(chance, chance.choice(("/bill", "/", "/a?b=c"))).replace("\n", "")
        at = _moment(chance, now, "%d/%b/%Y:%H:%M:%S +0000")
        tail = f"{_cell(chance, '440100')} {_cell(chance, '0.120')}"
        address, status, size = _cell(chance, "10.0.0.1"), _cell(chance, "200"), _cell(chance, "512")
        lines.append(f'{address} - - [{at}] "GET {path} HTTP/1.1" {status} {size} "-" "Mozilla/5.0" {tail}')
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _answers(chance: Random, now: datetime) -> bytes:
    items = []
    for _ in range(chance.randrange(1, 8)):
        at = now.replace(second=0, microsecond=0) - timedelta(minutes=chance.randrange(1, 600))
        item = {
            "start": json.dumps(at.isoformat()),
            "city": '"440100"',
            "service": '"billing"',
            "contacts": str(chance.randrange(100)),
            "talk": "120000",
            "longest": "31.5",
        }
        for _ in range(chance.randrange(3)):
            name = chance.choice(list(item))
            item[name] = chance.choice((*NUMBERS, *(json.dumps(text) for text in (*TEXTS, *times(now), *REGIONS))))
        pairs = [f'"{name}":{text}' for name, text in item.items()]
        items.append("{" + ",".join([*pairs, *([chance.choice(pairs)] if chance.random() < 0.1 else [])]) + "}")
    code = chance.choice(("0",) * 10 + ("1", '"x"', "[]", "null"))
    return f'{{"code": {code}, "items": [{",".join(items)}]}}'.encode("utf-8", "surrogatepass")


WRITERS: dict[str, tuple[str, Callable[[Random, datetime], bytes]]] = {
    "calls": ("calls.csv", _calls),
    "web": ("access.log", _accesses),
    "asked": ("figures.json", _answers),
    "pushed": ("body.json", push_body),
}
