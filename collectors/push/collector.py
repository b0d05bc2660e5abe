"""The receiver of a pushing source: nothing to poll, a body to count."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from collectors import Ask, Plan
from collectors.push.cells import Places
from collectors.push.options import Options
from collectors.push.records import Key, RecordReader
from collectors.push.tables import read_tables
from collectors.shared.json_reading import read_json
from collectors.shared.lines import bounded, reject
from collectors.shared.record_fields import Unfit
from metrics.observations import Interval, Parsed, Payload, Reject, SourceFault

LISTS = ("observations", "tables")
NAMES = frozenset({*LISTS, "revision"})
MOST_COMMAS = 16
"""Commas that an observation may need, in a record with many dimensions or beside the empty cells of a table."""
MOST_AHEAD = 4 * 1024 * 1024
"""Bytes of a body whose figures are kept for the next to parse it."""
Counted = tuple[pd.DataFrame, list[Reject], int]
"""What counts, what cannot be counted, and how many observations were looked at."""


class PushCollector:
    """Payloads come in by the push endpoint, or from a file that holds what would have been pushed."""

    def __init__(self, plan: Plan) -> None:
        self.options: Options = plan.options
        self._plan = plan
        self._places = Places(plan.catalogue)
        self._ahead: tuple[Payload, Parsed] | None = None

    def token(self) -> str:
        """The bearer token of the channel, '' while the environment names none: then nobody may push."""
        return self._plan.secret(self.options.token_env)

    @property
    def source(self) -> str:
        """Id of the source within its channel."""
        return self._plan.source.id

    def payload(self, body: bytes, received_at: datetime) -> Payload:
        """What was pushed, as the turn takes it."""
        return Payload(body, received_at, Interval(received_at, received_at), "push", {})

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """One body from a file."""
        most = self.options.body_bytes
        try:
            with path.open("rb") as file:
                body = file.read(most + 1)
        except (OSError, ValueError) as error:
            raise SourceFault("not_found", f"{path} cannot be read: {error}", permanent=True) from error
        if len(body) > most:
            raise SourceFault("too_large", f"{path} has more than {most} bytes (body_bytes)", permanent=True)
        return self.payload(body, ask.now)

    def parse_ahead(self, payload: Payload) -> Parsed:
        """`parse`, kept for who parses the same payload next: first the push endpoint, soon after the stream consumer.

        The last one only, and of a body that is not large; whoever finds none parses, to the same end.
        """
        parsed = self._parse(payload)
        self._ahead = (payload, parsed) if len(payload.data) <= MOST_AHEAD else None
        return parsed

    def parse(self, payload: Payload) -> Parsed:
        """Count what was said; what cannot be counted is a reject; raises SourceFault if the body is no batch."""
        ahead, self._ahead = self._ahead, None
        return ahead[1] if ahead is not None and ahead[0] == payload else self._parse(payload)

    def _parse(self, payload: Payload) -> Parsed:
        document = self._document(payload.data)
        reader = RecordReader(self._plan, payload.fetched_at)
        if "tables" in document:
            table, rejects, read = self._tables(document["tables"], reader)
        else:
            table, rejects, read = _records(document["observations"], reader)
        return Parsed(
            cursor=payload.cursor,
            observations=table,
            rejects=bounded(rejects),
            read=read,
            window=self._window(table),
            revision=document.get("revision"),
        )

    def _tables(self, tables: list[Any], reader: RecordReader) -> Counted:
        harvest = read_tables(tables, reader, self._plan.catalogue.measures, self._places)
        self._check_number(harvest.read)
        return harvest.frame(), harvest.rejects, harvest.read

    def _document(self, body: bytes) -> dict[str, Any]:
        """The body as an object whose every name is known; what its records hold is not looked at yet."""
        most = self.options.records
        # A record has two objects at most; a body of nothing but brackets would take forty times its size in memory.
        if body.count(b"{") > 2 * most + 1:
            raise _unreadable(f"holds more objects than {most} observations need")
        if body.count(b",") > MOST_COMMAS * most:
            raise _unreadable(f"holds more values than {most} observations need")
        try:
            document: dict[str, Any] = read_json(body.decode("utf-8"), "the body")
        except UnicodeDecodeError as error:
            raise _unreadable(f"is not UTF-8 at byte {error.start + 1}") from error
        lists = [document[name] for name in LISTS if name in document] if isinstance(document, dict) else []
        if len(lists) != 1 or not isinstance(lists[0], list):
            raise _unreadable('must be an object with one list, "observations" or "tables"')
        if unknown := sorted(document.keys() - NAMES):
            raise _unreadable(f"has an unknown name {unknown[0][:80]!r}")
        if "observations" in document:
            self._check_number(len(lists[0]))
        _check_revision(document)
        return document

    def _check_number(self, said: int) -> None:
        if not 0 < said <= self.options.records:
            raise _unreadable(f"has {said} observations; 1 to {self.options.records} are taken")

    def _window(self, table: pd.DataFrame) -> Interval | None:
        if table.empty:
            return None
        first, last = table["start"].min(), table["start"].max()
        end = last.to_pydatetime() + timedelta(seconds=self._plan.channel.interval_s)
        return Interval(first.to_pydatetime(), end)


def _records(records: list[Any], reader: RecordReader) -> Counted:
    counted: dict[Key, float] = {}
    rejects: list[Reject] = []
    for line, record in enumerate(records, start=1):
        try:
            key, value = reader.read(record)
            if key in counted:
                raise Unfit("CP-02", "said_twice", "value", value)
            counted[key] = value
        except Unfit as unfit:
            rejects.append(reject(unfit.rule, line, unfit.column, unfit.code, unfit.value))
    return _table(counted), rejects, len(records)


def _unreadable(why: str) -> SourceFault:
    return SourceFault("unreadable", f"the body {why}", permanent=True)


def _check_revision(document: Mapping[str, Any]) -> None:
    revision = document.get("revision")
    if revision is not None and (type(revision) is not int or not 0 <= revision < 2**62):
        raise _unreadable('needs a whole number from 0 to 2^62 as "revision", or none')


def _table(counted: Mapping[Key, float]) -> pd.DataFrame:
    """The travelling table of the records that count."""
    measures, regions, dimensions, starts = zip(*counted, strict=True) if counted else ((), (), (), ())
    return pd.DataFrame(
        {
            "measure": pd.Categorical(measures),
            "region": pd.Categorical(regions),
            "dimension": pd.Categorical(dimensions),
            "start": pd.DatetimeIndex(np.array(starts, dtype="datetime64[s]")).tz_localize("UTC"),
            "value": np.fromiter(counted.values(), dtype=np.float64, count=len(counted)),
        }
    )
