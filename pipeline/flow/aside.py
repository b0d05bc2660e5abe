"""What was pushed and cannot be counted: kept with its bytes and the reason, and told until somebody settles it.

1. The body and its bytes are in the state before it leaves the stream, under a name that follows from what it is: a
   crash in between gives it again, which changes nothing.
2. What was answered 202 becomes a finding (CP-05), worked out from all that waits, so that no order of keeping and
   settling can leave it wrong for longer than until the next look.
"""

import hashlib
from datetime import timedelta

from data_quality.rules.accepted import AcceptedPushes, every_accepted_push_was_counted
from metrics.observations import Batch
from pipeline.dependencies import Dependencies
from pipeline.flow.feeder import Feeder
from store.ingest.stream import Pushed
from store.state.aside import AcceptedAside, AsideBody, AsideKind

LOOK = timedelta(days=1)
"""Time whose counted batches stand beside the bodies of a source of which none waits any more."""
UNFINISHED = "unfinished"
"""Why a body is given up of whose tries nobody saw the end, such as that of a process which was killed each time."""


def keep_pushed(dependencies: Dependencies, pushed: Pushed, feeder: Feeder | None, why: str = UNFINISHED) -> None:
    """Keep a body that cannot be counted, or whose source is not in the catalogue any more (`feeder` None).

    `why`: code of its fault, or the type of the error that its last try ended with.
    """
    kind = AsideKind.CHANNEL_GONE if feeder is None else AsideKind.GIVEN_UP
    body = AsideBody(
        id=name_of(pushed.channel, pushed.id),
        kind=AsideKind.REFUSED if pushed.refused else kind,
        channel=pushed.channel,
        source=pushed.source,
        batch=pushed.id,
        sender_key=pushed.key,
        received_at=pushed.received_at,
        kept_at=dependencies.clock(),
        size=len(pushed.body),
        digest=hashlib.sha256(pushed.body).hexdigest(),
        reason=kind.value if feeder is None else why,
    )
    dependencies.state.aside.keep(body, pushed.body)


def uncountable(batch: Batch) -> str:
    """Why nothing of a pushed batch can be counted: a words key under `fault.`; '' where something can.

    The push endpoint took it, so this is no fault of its sender: the catalogue has changed since.
    """
    if batch.error is not None or batch.parsed is None:
        return UNFINISHED if batch.error is None else batch.error.code
    table = batch.parsed.observations
    return "records_rejected" if batch.parsed.rejects and (table is None or table.empty) else ""


def keep_refused(dependencies: Dependencies, batch: Batch, data: bytes) -> None:
    """Keep a body that the push endpoint refused; its records are kept under the name of its batch."""
    body = AsideBody(
        id=name_of(batch.channel, batch.id),
        kind=AsideKind.REFUSED,
        channel=batch.channel,
        source=batch.source,
        batch=batch.id,
        sender_key="",
        received_at=batch.fetched_at,
        kept_at=dependencies.clock(),
        size=len(data),
        digest=batch.digest,
        reason="" if batch.error is None else batch.error.code,
    )
    dependencies.state.aside.keep(body, data)


def name_of(channel: str, batch: str) -> str:
    """The name of a body that was kept aside, short enough to be typed."""
    return hashlib.sha256(f"{channel}\n{batch}".encode()).hexdigest()[:16]


def judge_aside(dependencies: Dependencies) -> None:
    """Say of every source that pushed what was kept aside whether all that it was promised is counted."""
    sources = dependencies.state.aside.accepted()
    if not sources:
        return
    findings = [every_accepted_push_was_counted(_pushes(dependencies, source)) for source in sources]
    dependencies.state.findings.record(findings, dependencies.clock())
    dependencies.wake()


def _pushes(dependencies: Dependencies, aside: AcceptedAside) -> AcceptedPushes:
    state = dependencies.state
    waiting = state.aside.waiting(aside.channel, aside.source)
    batches = state.aside.counted(aside.channel, aside.source, aside.first or dependencies.clock() - LOOK)
    rows = tuple(
        {"id": body.id, "batch": body.batch, "reason": body.reason, "received_at": body.received_at.isoformat()}
        for body in waiting
    )
    return AcceptedPushes(
        channel=aside.channel,
        source=aside.source,
        counted=max(batches, aside.replayed),
        waiting=aside.waiting,
        discarded=aside.discarded,
        first=aside.first,
        last=aside.last,
        reason=waiting[0].reason if waiting else "",
        batch=waiting[0].batch if waiting else "",
        rows=rows,
    )
