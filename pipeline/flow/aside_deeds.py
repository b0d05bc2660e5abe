"""What somebody decides about a body that was kept aside: have it counted after all, or say why it shall not count.

Both are asked for by way of the state (`AsideRequests`), because only the process that holds the facts can count, and
done there by `carry_out`. Either done twice changes nothing: a batch is named by what it holds, and a body is settled
once. Every deed is in the audit trail, those that failed too.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from collectors import Ask
from config.jobs import AUDIT, Job
from metrics.observations import Batch, Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.aside import judge_aside, uncountable
from pipeline.flow.collecting import collect
from pipeline.flow.feeder import Feeder, ReceivingFeeder, SourceKey
from pipeline.flow.judging import judge
from pipeline.flow.storing import enter
from store.facts.tiers.lateness import CODE as TIME_CLOSED
from store.faults import passes
from store.state.aside import AsideBody, AsideKind, AsideState, Decision
from store.state.aside_requests import AsideDeed, AsideRequest, Outcome

log = logging.getLogger("watchfloor.aside")
AUDIT_S, DEEDS_S = 30, 2
"""How often what was kept aside is judged, and how often it is looked whether somebody wants something done."""
JOB = "aside"
"""Not the job that reads live: what is replayed says nothing of how far its source was read."""
SECOND = timedelta(seconds=1)
MOST_REMARKS = 1_000_000


def aside_jobs(dependencies: Dependencies, feeders: Mapping[SourceKey, ReceivingFeeder]) -> list[Job]:
    """Judging what was kept aside, and doing with it what somebody wants done."""
    return [
        Job("audit of what was kept aside", AUDIT_S, lambda: judge_aside(dependencies), executor=AUDIT),
        Job("deeds on what was kept aside", DEEDS_S, lambda: carry_out(dependencies, feeders)),
    ]


class UnknownBody(LookupError):
    """Nothing is kept aside under this name."""


def carry_out(dependencies: Dependencies, feeders: Mapping[SourceKey, ReceivingFeeder]) -> int:
    """Do what was asked for, oldest first; gives how many requests came to an end.

    `feeders`: those of sources that send. What another process has finished meanwhile stays as it told it.
    Raises StoreFault while a store is away; what is left is done at the next call.
    """
    finished = 0
    for request in dependencies.state.aside_requests.open():
        dependencies.state.aside_requests.take(request.id, dependencies.clock())
        outcome = _done(dependencies, feeders, request)
        finished += dependencies.state.aside_requests.finish(request.id, outcome, dependencies.clock())
    return finished


def replay(
    dependencies: Dependencies, feeders: Mapping[SourceKey, ReceivingFeeder], id: str, who: str, why: str
) -> Outcome:
    """Send a body through the steps of everything that is pushed once more; raises UnknownBody.

    It counts as of now where screens of the past are asked for, but keeps the revision that it had when it was
    received: a newer word of its source stays. What was refused is taken whole or not at all, as at the push endpoint.
    """
    body, data = _found(dependencies, id)
    if data is None:
        return Outcome(body.state is AsideState.REPLAYED, f"already_{body.state}")
    outcome = _counted(dependencies, feeders.get((body.channel, body.source)), body, data)
    decision = Decision(who, why, dependencies.clock())
    if outcome.done:
        dependencies.state.aside.settle(id, AsideState.REPLAYED, decision)
        judge_aside(dependencies)
    else:
        _note_failure(dependencies, body, AsideDeed.REPLAY, decision, outcome)
    dependencies.wake()
    return outcome


def discard(dependencies: Dependencies, id: str, who: str, why: str) -> Outcome:
    """Let the bytes of a body go for good; it stays listed with who did it and why. Raises UnknownBody."""
    body, data = _found(dependencies, id)
    if data is None:
        return Outcome(body.state is AsideState.DISCARDED, f"already_{body.state}")
    dependencies.state.aside.settle(id, AsideState.DISCARDED, Decision(who, why, dependencies.clock()))
    judge_aside(dependencies)
    dependencies.wake()
    return Outcome(True, AsideState.DISCARDED.value)


def _found(dependencies: Dependencies, id: str) -> tuple[AsideBody, bytes | None]:
    """A body, and its bytes while nobody has settled it."""
    data = dependencies.state.aside.data(id)
    body = dependencies.state.aside.find(id)
    if body is None:
        raise UnknownBody(id)
    return body, data


def _done(dependencies: Dependencies, feeders: Mapping[SourceKey, ReceivingFeeder], request: AsideRequest) -> Outcome:
    """Do one thing that was asked for; a bug that it meets is its outcome, and loud."""
    try:
        if request.deed is AsideDeed.REPLAY:
            return replay(dependencies, feeders, request.body, request.who, request.why)
        return discard(dependencies, request.body, request.who, request.why)
    except Exception as error:
        if passes(error):
            raise
        log.exception("%s of %s failed", request.deed, request.body)
        return Outcome(False, "failed", type(error).__name__)


def _counted(dependencies: Dependencies, feeder: ReceivingFeeder | None, body: AsideBody, data: bytes) -> Outcome:
    """Parse, store and judge a body; tells what counts now, or why nothing does."""
    if feeder is None:
        return Outcome(False, AsideKind.CHANNEL_GONE.value)
    ask = Ask(Interval(body.received_at, body.received_at), {}, body.received_at)
    payload = feeder.collector.payload(data, body.received_at)
    batch = collect(dependencies, feeder, ask, lambda: payload)
    rejects = batch.parsed.rejects if batch.parsed else ()
    why = uncountable(batch)
    if why or (rejects and not body.accepted):
        detail = rejects[0].code if rejects else ""
        return Outcome(False, why or "records_rejected", detail, rejected=len(rejects))
    return _entered(dependencies, feeder, replace(batch, fetched_at=dependencies.clock()))


def _entered(dependencies: Dependencies, feeder: Feeder, batch: Batch) -> Outcome:
    judge(dependencies, enter(dependencies, [(feeder, batch)], JOB))
    table = batch.parsed.observations if batch.parsed else None
    rows, late = 0 if table is None else len(table), _too_late(dependencies, batch)
    rejected = late + len(batch.parsed.rejects if batch.parsed else ())
    if late and late == rows:
        return Outcome(False, TIME_CLOSED, rejected=rejected)
    return Outcome(True, AsideState.REPLAYED.value, counted=rows - late, rejected=rejected)


def _too_late(dependencies: Dependencies, batch: Batch) -> int:
    """Rows of a batch that was just entered whose time is closed: they were kept aside, not counted."""
    just_now = Interval(batch.fetched_at - SECOND, batch.fetched_at + SECOND)
    remarks = dependencies.history.aside(batch.channel, just_now, MOST_REMARKS)
    return int((remarks["batch"].str.startswith(batch.id) & (remarks["code"] == TIME_CLOSED)).sum())


def _note_failure(
    dependencies: Dependencies, body: AsideBody, deed: AsideDeed, decision: Decision, outcome: Outcome
) -> None:
    about = f"{body.id} of {body.channel}, batch {body.batch}: {decision.why} ({outcome.code} {outcome.detail}".rstrip()
    dependencies.state.users.note(decision.at, decision.who, f"aside_{deed}_failed", f"{about})")
