"""Everything that was kept aside, in one listing: records that were not counted, and pushed bodies.

Contents are never in it. The records of a refused body are shown with the body.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.aside_deeds import UnknownBody
from store.state.aside import AsideBody, AsideKind
from store.state.aside_requests import AsideRequest

RECORDS = "records"
"""Kind of what the facts keep: records of a batch that were not counted, or counted in doubt."""
KINDS = (RECORDS, *(kind.value for kind in AsideKind))
KEPT = "kept"
"""State of records: they go when the facts of their time go, and are put right at their source."""
MOST_RECORDS = 100_000
"""Records that are looked through at once."""
SHOWN = ("rule", "line", "column", "code", "kept")
"""What is told of a record: not its value."""
SECOND = timedelta(seconds=1)
Row = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What a listing is about."""

    channel: str | None = None
    received: Interval | None = None
    kinds: Sequence[str] = KINDS
    limit: int = 1000


@dataclass(frozen=True)
class Listing:
    """Rows of the same keys, newest first."""

    rows: list[Row]
    more: bool
    """Whether there are older ones that the limit left out."""


@dataclass(frozen=True)
class Shown:
    """One thing that was kept aside."""

    about: Row
    records: list[Row]
    requests: list[Row]
    """What was asked to be done with it, newest first."""


def listing(dependencies: Dependencies, wanted: Wanted) -> Listing:
    """What was kept aside, newest first."""
    kinds = [AsideKind(kind) for kind in wanted.kinds if kind != RECORDS]
    bodies = dependencies.state.aside.newest(wanted.limit + 1, wanted.channel, wanted.received, kinds)
    rows, cut = _batches(dependencies, wanted) if RECORDS in wanted.kinds else ([], False)
    rows = sorted([*map(_row, bodies), *rows], key=lambda row: row["received_at"], reverse=True)
    return Listing(rows[: wanted.limit], cut or len(rows) > wanted.limit)


def show(dependencies: Dependencies, id: str) -> Shown:
    """All that is known of one thing that was kept aside, but its contents; raises UnknownBody."""
    body = dependencies.state.aside.find(id)
    if body is None:
        return _batch(dependencies, id)
    about = {**asdict(body), "kind": body.kind.value, "state": body.state.value}
    requests = [_request(one) for one in dependencies.state.aside_requests.of(id)]
    return Shown(about, _told(_records_of(dependencies, body.batch, body.received_at)), requests)


def _row(body: AsideBody) -> Row:
    settled = {"who": body.who, "why": body.why, "settled_at": body.settled_at}
    return {
        "id": body.id,
        "kind": body.kind.value,
        "channel": body.channel,
        "source": body.source,
        "received_at": body.received_at,
        "state": body.state.value,
        "bytes": body.size,
        "records": None,
        "reason": body.reason,
        "batch": body.batch,
        **settled,
    }


def _batches(dependencies: Dependencies, wanted: Wanted) -> tuple[list[Row], bool]:
    """The records that the facts keep, a row a batch, without those of refused bodies; whether some were left out."""
    records = dependencies.history.aside(wanted.channel, wanted.received, MOST_RECORDS)
    names = _names(records)
    refused = dependencies.state.aside.refused(names.unique().tolist())
    own = records.assign(batch=names)[~names.isin(refused)]
    rows = [_batch_row(str(name), group) for name, group in own.groupby("batch", sort=False)]
    return rows, len(records) == MOST_RECORDS


def _batch_row(name: str, records: pd.DataFrame) -> Row:
    first = records.iloc[0]
    return {
        "id": name,
        "kind": RECORDS,
        "channel": first["channel"],
        "source": first["source"],
        "received_at": first["received_at"].to_pydatetime(),
        "state": KEPT,
        "bytes": None,
        "records": len(records),
        "reason": ",".join(sorted(set(records["code"]))),
        "batch": name,
        "who": "",
        "why": "",
        "settled_at": None,
    }


def _batch(dependencies: Dependencies, id: str) -> Shown:
    """The records of one batch."""
    known = dependencies.state.batches.find(id)
    records = _records_of(dependencies, id, known.fetched_at if known else None)
    if records.empty:
        raise UnknownBody(id)
    return Shown(_batch_row(id, records), _told(records), [])


def _records_of(dependencies: Dependencies, batch: str, received_at: datetime | None) -> pd.DataFrame:
    """The records that the facts keep of a batch, or of rows of it whose time was closed."""
    around = None if received_at is None else Interval(received_at - SECOND, received_at + SECOND)
    records = dependencies.history.aside(received=around, limit=MOST_RECORDS)
    return records[_names(records) == batch]


def _names(records: pd.DataFrame) -> pd.Series:
    """The batch of each record; what tiers keep of closed time says more behind its name."""
    return records["batch"].str.partition(" ")[0] if len(records) else records["batch"]


def _told(records: pd.DataFrame) -> list[Row]:
    return [{**row, "line": None if pd.isna(row["line"]) else int(row["line"])} for row in _rows(records)]


def _rows(records: pd.DataFrame) -> list[Row]:
    found: list[Row] = records[list(SHOWN)].astype(object).to_dict("records")
    return found


def _request(request: AsideRequest) -> Row:
    outcome = request.outcome
    return {
        "deed": request.deed.value,
        "who": request.who,
        "why": request.why,
        "asked_at": request.asked_at,
        "done_at": request.done_at,
        "outcome": outcome and outcome.code,
        "detail": outcome and outcome.detail,
        "counted": outcome and outcome.counted,
        "rejected": outcome and outcome.rejected,
    }
