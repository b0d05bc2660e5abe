"""What becomes of pushes behind the door: refused ones, those of a channel that is no more, of a wrong clock."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from metrics.observations import Interval, SourceFault
from pipeline.flow.evidence import SPAN, pieces
from pipeline.flow.refusals import note_refusal
from store.state.aside import AsideKind
from tests.support.hostile_world import PushTrial, push_trial
from tests.support.push_world import body, row


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[PushTrial]:
    with push_trial(tmp_path) as made:
        yield made


def test_a_refused_push_is_a_finding_with_its_records_and_no_figure(trial: PushTrial) -> None:
    parts, feeder = trial.dependencies, trial.consumer.feeders["desk", "counts"]
    now = parts.clock()
    payload = trial.collectors["desk"].payload(body(row(value=-1), row(region="x"), row()), now)
    note_refusal(parts, feeder, payload, feeder.collector.parse(payload), None)
    found = {
        one.rule: one for one in parts.state.findings.during(Interval(now - timedelta(days=9999), now + timedelta(1)))
    }
    assert {"AC-01", "AC-02"} <= found.keys()
    [refused] = found["AC-01"].rows
    assert (refused["line"], refused["column"], refused["code"], refused["value"]) == (
        1,
        "value",
        "below_minimum",
        "-1",
    )
    assert parts.history.observations(Interval(now - timedelta(days=9999), now)).empty
    assert len(parts.history.aside("desk")) >= 2


def test_a_refused_body_is_kept_and_its_batch_says_why(trial: PushTrial) -> None:
    parts, feeder = trial.dependencies, trial.consumer.feeders["desk", "counts"]
    now = parts.clock()
    payload = trial.collectors["desk"].payload(b"{", now)
    note_refusal(parts, feeder, payload, None, SourceFault("unreadable", "the body is not JSON"))
    [batch] = parts.state.batches.covering(Interval(now, now + timedelta(minutes=1)), ("desk",))
    assert (batch.error, batch.detail) == ("unreadable", "the body is not JSON")
    [kept] = parts.state.aside.newest(10)
    assert (kept.kind, kept.reason, kept.batch) == (AsideKind.REFUSED, "unreadable", batch.id)
    assert parts.state.aside.data(kept.id) == b"{"


def test_a_push_for_a_channel_that_is_no_more_is_kept_aside_and_stops_nothing(trial: PushTrial) -> None:
    parts, now = trial.dependencies, trial.dependencies.clock()
    trial.consumer.ingest.append("gone", "counts", "a", b"figures of old", now)
    trial.consumer.ingest.append("desk", "counts", "b", body(row(at=now.replace(second=0, microsecond=0))), now)
    trial.drained()
    assert trial.tally.crashes == []
    assert len(parts.history.observations(Interval(now - timedelta(hours=1), now))) == 1
    [kept] = parts.state.aside.newest(10)
    assert (kept.kind, kept.channel, kept.sender_key) == (AsideKind.CHANNEL_GONE, "gone", "a")
    assert parts.state.aside.data(kept.id) == b"figures of old"


def test_a_long_span_is_judged_only_where_a_batch_speaks_of_it(trial: PushTrial) -> None:
    now = trial.dependencies.clock()
    decades, day = Interval(now - timedelta(days=9000), now), Interval(now - timedelta(days=1), now)
    assert len(list(pieces(decades))) == 9000 * 4
    spoken = list(pieces(decades, [decades.start, now - timedelta(seconds=1), now + timedelta(days=1)]))
    assert [piece.start for piece in spoken] == [decades.start, now - SPAN]
    assert len(list(pieces(day, [now - timedelta(hours=1)]))) == 4
