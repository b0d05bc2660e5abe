"""Figures that a channel system pushes by itself: see `README.md`."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from collectors import Ask, Plan
from collectors.push import strict_json
from collectors.push.options import Options
from collectors.push.records import Checker, Fault, Key, unknown_names
from metrics.observations import Interval, Parsed, Payload, Reject, SourceFault

__all__ = ["Options", "PushCollector", "build"]


class PushCollector:
    """Nothing to poll: payloads come in by the door, or from a file that holds what would have been pushed."""

    def __init__(self, plan: Plan) -> None:
        self.options: Options = plan.options
        self.checker = Checker.of(plan.catalogue, plan.channel, plan.source)
        self.interval = timedelta(seconds=plan.channel.interval_s)

    def token(self) -> str:
        """The bearer token of the channel, '' while the environment names none: then nobody may push."""
        return os.environ.get(self.options.token_env, "")

    def payload(self, body: bytes, received_at: datetime) -> Payload:
        """What was pushed, as the turn takes it."""
        return Payload(body, received_at, Interval(received_at, received_at), "push", {})

    def fetch(self, ask: Ask) -> Payload:
        """Always a fault: a pushing source is never asked."""
        raise SourceFault("misconfigured", "a source of kind push sends its figures by itself", permanent=True)

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """One body from a file."""
        try:
            size = path.stat().st_size
            if size > self.options.body_bytes:
                raise SourceFault("too_large", f"{path} has {size} bytes, more than body_bytes", permanent=True)
            return self.payload(path.read_bytes(), ask.now)
        except OSError as error:
            raise SourceFault("not_found", f"{path}: {error.strerror}", permanent=True) from error

    def parse(self, payload: Payload) -> Parsed:
        """Count the records; each that cannot be counted is a reject; raises SourceFault if the body is no batch."""
        document = self._document(payload.data)
        revision = _revision(document)
        records = document["observations"]
        starts: dict[Any, int | Fault] = {}
        counted: dict[Key, float] = {}
        rejects: list[Reject] = []
        for line, record in enumerate(records, start=1):
            try:
                key, value = self._one(record, payload.fetched_at, starts)
                if key in counted:
                    raise Fault("CP-02", "said_twice", "value", value)
                counted[key] = value
            except Fault as fault:
                rejects.append(fault.reject(line))
        return Parsed(
            cursor=payload.cursor,
            observations=_frame(counted),
            rejects=tuple(rejects),
            read=len(records),
            window=self._window(counted),
            revision=revision,
        )

    def _one(self, record: Any, now: datetime, starts: dict[Any, int | Fault]) -> tuple[Key, float]:
        unknown_names(record)
        written = record.get("start")
        try:
            found = starts.get(written)
        except TypeError:
            raise Fault("TY-03", "not_a_time", "start", written) from None
        if found is None:
            try:
                found = self.checker.start(written, now)
            except Fault as fault:
                found = fault
            starts[written] = found
        if isinstance(found, Fault):
            raise found
        return self.checker.key(record, found), self.checker.value(record)

    def _document(self, body: bytes) -> Mapping[str, Any]:
        try:
            document = strict_json.read(body)
        except ValueError as error:
            raise SourceFault("unreadable", f"the body is not JSON that has one meaning: {error}", True) from error
        if not isinstance(document, dict) or not isinstance(document.get("observations"), list):
            raise SourceFault("unreadable", 'the body must be an object with a list "observations"', permanent=True)
        unknown = sorted(document.keys() - {"observations", "revision"})
        if unknown:
            raise SourceFault("unreadable", f"the body has an unknown key {unknown[0][:80]!r}", permanent=True)
        if not 0 < len(document["observations"]) <= self.options.records:
            count = len(document["observations"])
            raise SourceFault(
                "unreadable", f"the body has {count} observations; 1 to {self.options.records} are taken", True
            )
        return document

    def _window(self, counted: Mapping[Key, float]) -> Interval | None:
        if not counted:
            return None
        starts = [start for *_, start in counted]
        first, last = (datetime.fromtimestamp(edge, UTC) for edge in (min(starts), max(starts)))
        return Interval(first, last + self.interval)


def _revision(document: Mapping[str, Any]) -> int | None:
    revision = document.get("revision")
    if revision is None:
        return None
    if isinstance(revision, bool) or not isinstance(revision, int) or not 0 <= revision < 2**62:
        raise SourceFault("unreadable", '"revision" must be a whole number from 0 to 2^62', permanent=True)
    return revision


def _frame(counted: Mapping[Key, float]) -> pd.DataFrame:
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


def build(plan: Plan) -> PushCollector:
    """Make the collector of a pushing source."""
    return PushCollector(plan)
