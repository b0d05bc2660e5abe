"""Lines of a combined log into columns; a line that has another form becomes a reject."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt

from collectors.access_log.options import Options
from collectors.shared.contributions import Coded
from collectors.shared.lines import Lines, reject
from metrics.observations import Reject

QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
CUT = rf"{QUOTED[:-1]}(?:\"|$)"
"""A last field whose closing quote may be missing: servers cut off long agents, and the request still happened."""
COMBINED = rf'(\S+) [^\[]*\[([^\]]+)\] {QUOTED} (\d{{3}}) (?:\d+|-) "[^"\\]*(?:\\.[^"\\]*)*" '
EXTRA = r' (?:"((?:[^"\\]|\\.)*)"|(\S+))'
TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)([0-5]\d)", re.ASCII)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEVER = 0
"""Seconds since 1970 that stand for a text that is no time."""


@dataclass(frozen=True)
class Requests:
    """Requests of one piece of a log; `positions` index into the lines that they came from."""

    fields: dict[str, Coded]
    """`address`, `time`, `request`, `status`, `agent`, `host` where logged, and the extra fields."""
    positions: npt.NDArray[np.intp]
    rejects: list[Reject]

    def __len__(self) -> int:
        return len(self.positions)


def line_pattern(options: Options) -> re.Pattern[str]:
    """The form of a line."""
    host = r"(\S+) " if options.virtual_host else ""
    agent = QUOTED if options.extra_fields else CUT
    return re.compile(rf"{host}{COMBINED}{agent}{EXTRA * len(options.extra_fields)}(?: .*)?", re.ASCII)


def parse_lines(lines: Lines, options: Options, pattern: re.Pattern[str]) -> Requests:
    """Take the fields out of every line; bytes are read as Latin-1, since agents and paths hold anything."""
    found, positions, rejects = [], [], []
    for position, line in enumerate(lines.texts):
        match = pattern.fullmatch(line.decode("latin-1"))
        if match:
            found.append(match.groups(""))
            positions.append(position)
        else:
            rejects.append(reject("TY-01", int(lines.numbers[position]), None, "not_a_log_line", ""))
    names = [*(["host"] if options.virtual_host else []), "address", "time", "request", "status", "agent"]
    columns = [list(column) for column in zip(*found, strict=True)] or [[] for _ in range(pattern.groups)]
    fields = {name: Coded.of(columns[at]) for at, name in enumerate(names)}
    for index, name in enumerate(options.extra_fields):
        quoted, bare = columns[len(names) + 2 * index : len(names) + 2 * index + 2]
        fields[name] = Coded.of(
            [one or ("" if other == "-" else other) for one, other in zip(quoted, bare, strict=True)]
        )
    return Requests(fields, np.array(positions, dtype=np.intp), rejects)


def seconds_of(text: str) -> int:
    """Seconds since 1970 of a log's time, which carries its offset; NEVER if it is none."""
    match = TIME.fullmatch(text)
    if not match or match[2] not in MONTHS:
        return NEVER
    offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
    day, year, hour, minute, second = (int(match[part]) for part in (1, 3, 4, 5, 6))
    leapless = 59 if second == 60 else second
    try:
        zone = timezone(-offset if match[7] == "-" else offset)
        moment = datetime(year, MONTHS.index(match[2]) + 1, day, hour, minute, leapless, tzinfo=zone)
        return int(moment.astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        return NEVER


def path_of(request: str) -> str:
    """The path of a request line, without its query; empty where the line is no HTTP request."""
    parts = request.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/"):
        return ""
    return parts[1].split("?", 1)[0]


def is_under(path: str, prefix: str) -> bool:
    """Whether a path is the prefix or lies under it."""
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/")
