"""What was accepted and is not counted: kept, found, replayed and discarded, over a real stream and real stores."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.catalogue import Catalogue
from config.loading import load
from metrics.findings import CheckState
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.aside import UNFINISHED, judge_aside
from pipeline.flow.aside_deeds import UnknownBody, carry_out, discard, replay
from pipeline.flow.aside_listing import KINDS, Wanted, listing, show
from pipeline.flow.judging import Touched
from store.faults import StoreUnreachable
from store.housekeeping import housekeeping
from store.ingest.stream import Limits
from store.state.aside import AsideKind, AsideState
from store.state.aside_requests import AsideDeed, Outcome
from store.state.tier_progress import Horizon
from store.valkey.embedded import EmbeddedValkey
from tests.support.aside_world import GOOD, HOUR, POISON, World, aside_world
from tests.support.pipeline_world import FOLDER, GUANGZHOU, NOON, SHENZHEN, receiver_of, row
from tests.support.push_world import body

TRIES = Limits().deliveries
WHY = "the sender confirmed it"


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr("pipeline.flow.stream_consumer.RETRY_S", 0)
    with EmbeddedValkey(tmp_path / "valkey") as valkey, aside_world(tmp_path / "home", valkey.url) as made:
        yield made


def replayed(world: World, name: str) -> Outcome:
    return replay(world.dependencies, world.feeders, name, "Li Na", WHY)


def discarded(world: World, name: str) -> Outcome:
    return discard(world.dependencies, name, "Li Na", WHY)


def delivering(catalogue: Catalogue, channel: str, measure: str) -> Catalogue:
    """The catalogue in which a channel delivers one measure, and no other."""
    noun = catalogue.channels[channel]
    delivers = noun.sources[0].delivers[0].model_copy(update={"measure": measure, "dimensions": ()})
    source = noun.sources[0].model_copy(update={"delivers": (delivers,)})
    channels = catalogue.channels | {channel: noun.model_copy(update={"sources": (source,)})}
    return catalogue.model_copy(update={"channels": channels})


# Kept, and told


def test_a_body_that_is_given_up_is_a_finding_with_its_batch_and_reason(world: World) -> None:
    batch = world.push(POISON, "poison")
    world.push(GOOD, "good")
    world.drained()
    [kept] = world.kept()
    assert (kept.kind, kept.reason, kept.batch, kept.sender_key, kept.source) == (
        AsideKind.GIVEN_UP,
        "KeyError",
        batch,
        "poison",
        "counts",
    )
    assert world.dependencies.state.aside.data(kept.id) == POISON
    [finding] = world.findings()
    assert (finding.state, finding.channel, finding.source) == (CheckState.FAIL, "desk", "counts")
    assert (finding.bad, finding.expected) == (1, 2)
    assert finding.facts == {"error": "KeyError", "batch": batch}
    [told] = [one for one in world.dependencies.state.findings.during(HOUR) if one.rule == "CP-05"]
    assert [(line["id"], line["batch"], line["reason"]) for line in told.rows] == [(kept.id, batch, "KeyError")]
    assert world.figures() == {GUANGZHOU: 5}


def test_a_body_that_kills_whoever_takes_it_is_given_up_without_a_known_reason(world: World) -> None:
    def die(dependencies: Dependencies, touched: Sequence[Touched]) -> None:
        raise Killed

    world.push(GOOD)
    for _ in range(TRIES):
        with pytest.raises(Killed):
            world.consumer(die).once()
    assert world.kept() == []
    world.drained()
    assert [(kept.kind, kept.reason) for kept in world.kept()] == [(AsideKind.GIVEN_UP, UNFINISHED)]
    assert [finding.facts["error"] for finding in world.findings()] == [UNFINISHED]


def test_a_body_whose_channel_has_gone_is_a_finding(world: World) -> None:
    batch = world.push(b"figures of old", "a", "fax")
    world.drained()
    [kept] = world.kept()
    assert (kept.kind, kept.channel, kept.source, kept.batch) == (AsideKind.CHANNEL_GONE, "fax", "counts", batch)
    [finding] = world.findings()
    assert (finding.channel, finding.facts) == ("fax", {"error": "channel_gone", "batch": batch})


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"{", "unreadable"), (body(row("no_such_measure", GUANGZHOU, 1)), "records_rejected")],
    ids=["no_json", "nothing_of_it_counts"],
)
def test_an_accepted_body_of_which_nothing_can_be_counted_any_more_is_kept_aside(
    world: World, data: bytes, reason: str
) -> None:
    """The push endpoint took it by the catalogue of its time."""
    world.push(data, "a")
    world.push(GOOD, "b")
    assert world.consumer().once() == 1
    assert world.ingest.waiting() == 0
    assert [(kept.kind, kept.reason, kept.sender_key) for kept in world.kept()] == [(AsideKind.GIVEN_UP, reason, "a")]
    assert [finding.facts["error"] for finding in world.findings()] == [reason]
    assert world.figures() == {GUANGZHOU: 5}


def test_of_an_accepted_body_what_can_be_counted_is_and_the_rest_is_listed(world: World) -> None:
    world.push(body(row("offered", GUANGZHOU, 5), row("no_such_measure", GUANGZHOU, 1)))
    world.drained()
    assert world.figures() == {GUANGZHOU: 5}
    assert world.kept() == []
    [listed] = listing(world.dependencies, Wanted()).rows
    assert (listed["kind"], listed["records"], listed["reason"]) == ("records", 1, "unknown_measure")


def test_bodies_of_one_source_are_one_finding_that_counts_them(world: World) -> None:
    for number in range(3):
        world.push(b"old", f"k{number}", "fax", NOON + timedelta(seconds=number))
    world.drained()
    [finding] = world.findings()
    assert (finding.bad, finding.expected) == (3, 3)
    assert (finding.start, finding.end) == (NOON, NOON + timedelta(seconds=2))
    discarded(world, world.kept()[0].id)
    [finding] = world.findings()
    assert (finding.bad, finding.expected) == (2, 2)


def test_a_finding_that_was_lost_comes_back_at_the_next_look(world: World) -> None:
    world.push(b"old", "a", "fax")
    world.drained()
    [finding] = world.findings()
    closed = finding.finding()._replace(state=CheckState.PASS)
    world.dependencies.state.findings.record([closed], NOON)
    assert world.findings() == []
    judge_aside(world.dependencies)
    assert len(world.findings()) == 1


# Replayed


def test_a_replayed_body_is_counted_and_its_finding_closes(world: World) -> None:
    world.push(POISON)
    world.drained()
    [kept] = world.kept()
    world.mended()
    world.clock.now = NOON + timedelta(minutes=30)
    assert replayed(world, kept.id) == Outcome(True, "replayed", counted=1)
    assert world.figures() == {SHENZHEN: 666}
    assert world.findings() == []
    [settled] = world.kept()
    assert (settled.state, settled.who, settled.why) == (AsideState.REPLAYED, "Li Na", WHY)
    assert settled.settled_at == world.clock.now
    assert world.trail() == [("Li Na", "aside_replayed")]
    [batch] = world.dependencies.state.batches.covering(HOUR, ("desk",))
    assert world.dependencies.payloads.read(batch.payload) == POISON


def test_the_same_body_replayed_twice_changes_nothing(world: World) -> None:
    world.push(POISON)
    world.drained()
    [kept] = world.kept()
    world.mended()
    replayed(world, kept.id)
    before = world.dependencies.history.observations(HOUR), world.kept(), world.trail()
    assert replayed(world, kept.id) == Outcome(True, "already_replayed")
    assert world.dependencies.history.observations(HOUR).equals(before[0])
    assert (world.kept(), world.trail()) == before[1:]


def test_who_is_killed_between_counting_and_settling_replays_it_again_to_the_same_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.push(POISON)
    world.drained()
    [kept] = world.kept()
    world.mended()

    def die(*given: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("store.state.aside.AsideBodies.settle", die)
        with pytest.raises(Killed):
            replayed(world, kept.id)
    stored = world.dependencies.history.observations(HOUR)
    assert (len(stored), [one.state for one in world.kept()]) == (1, [AsideState.WAITING])
    assert replayed(world, kept.id).done
    assert world.dependencies.history.observations(HOUR).equals(stored)
    assert len(world.dependencies.state.batches.covering(HOUR, ("desk",))) == 1


def test_a_newer_word_of_the_source_stays_and_screens_of_the_past_do_not_change(world: World) -> None:
    world.push(body(row("offered", SHENZHEN, 666), row("offered", GUANGZHOU, 1)), "old")
    world.push(body(row("offered", GUANGZHOU, 2)), "new", at=NOON + timedelta(seconds=1))
    world.drained()
    world.mended()
    world.clock.now = NOON + timedelta(minutes=30)
    [kept] = world.kept()
    assert replayed(world, kept.id).done
    assert world.figures() == {GUANGZHOU: 2, SHENZHEN: 666}
    assert world.figures(NOON + timedelta(minutes=20)) == {GUANGZHOU: 2}


def test_a_body_of_a_channel_that_exists_again_is_counted(world: World) -> None:
    gone = world.feeders.pop(("desk", "counts"))
    world.push(GOOD)
    world.drained()
    [kept] = world.kept()
    assert replayed(world, kept.id) == Outcome(False, "channel_gone")
    assert world.figures() == {}
    assert (world.kept(), len(world.findings())) == ([kept], 1)
    assert world.trail() == [("Li Na", "aside_replay_failed")]
    world.feeders["desk", "counts"] = gone
    assert replayed(world, kept.id).done
    assert world.figures() == {GUANGZHOU: 5}
    assert world.findings() == []


def test_a_body_that_still_cannot_be_counted_stays(world: World) -> None:
    world.push(b"{")
    world.drained()
    [kept] = world.kept()
    assert replayed(world, kept.id) == Outcome(False, "unreadable")
    assert world.kept() == [kept]
    assert len(world.findings()) == 1


def test_a_refused_body_is_taken_whole_once_the_catalogue_allows_it(world: World) -> None:
    narrow = delivering(load(FOLDER), "desk", "offered")
    world.feeders["desk", "counts"] = receiver_of(narrow, "desk")
    world.ingest.refuse("desk", "counts", body(row("offered", GUANGZHOU, 5), row("answered", GUANGZHOU, 4)), NOON)
    world.drained()
    [kept] = world.kept()
    assert (kept.kind, kept.reason, kept.accepted) == (AsideKind.REFUSED, "refused_at_receipt", False)
    assert world.findings() == []
    assert replayed(world, kept.id) == Outcome(False, "records_rejected", "unknown_measure", rejected=1)
    assert world.figures() == {}
    world.mended()
    assert replayed(world, kept.id) == Outcome(True, "replayed", counted=2)
    assert len(world.dependencies.history.observations(HOUR)) == 2


def test_a_body_of_time_that_is_closed_is_not_told_to_be_counted(world: World) -> None:
    world.push(POISON)
    world.drained()
    [kept] = world.kept()
    world.mended()
    raw = world.dependencies.history.tiers[0].name
    world.dependencies.state.tier_progress.keep_horizon(raw, Horizon(NOON + timedelta(hours=1)))
    assert replayed(world, kept.id) == Outcome(False, "time_closed", rejected=1)
    assert world.kept() == [kept]
    assert len(world.findings()) == 1


# Discarded


def test_a_discarded_body_has_no_bytes_and_stays_listed_with_who_and_why(world: World) -> None:
    world.push(b"old", "a", "fax")
    world.drained()
    [kept] = world.kept()
    world.clock.now = NOON + timedelta(minutes=5)
    assert discarded(world, kept.id) == Outcome(True, "discarded")
    assert world.dependencies.state.aside.data(kept.id) is None
    [listed] = listing(world.dependencies, Wanted()).rows
    assert (listed["id"], listed["state"], listed["who"], listed["why"], listed["settled_at"]) == (
        kept.id,
        "discarded",
        "Li Na",
        WHY,
        world.clock.now,
    )
    assert world.findings() == []
    assert world.trail() == [("Li Na", "aside_discarded")]
    assert discarded(world, kept.id) == Outcome(True, "already_discarded")
    assert replayed(world, kept.id) == Outcome(False, "already_discarded")
    assert world.trail() == [("Li Na", "aside_discarded")]


def test_what_is_not_kept_aside_is_told(world: World) -> None:
    for deed in (replayed, discarded):
        with pytest.raises(UnknownBody):
            deed(world, "nothing")
    with pytest.raises(UnknownBody):
        show(world.dependencies, "nothing")


# Asked for by another process


def test_what_was_asked_for_is_done_once_in_its_order(world: World) -> None:
    world.push(POISON)
    world.drained()
    [kept] = world.kept()
    requests = world.dependencies.state.aside_requests
    first = requests.ask(kept.id, AsideDeed.REPLAY, "Li Na", "first", NOON)
    world.mended()
    second = requests.ask(kept.id, AsideDeed.DISCARD, "Wang", "second", NOON)
    assert carry_out(world.dependencies, world.feeders) == 2
    told = [requests.find(number) for number in (first, second)]
    assert [one and one.outcome for one in told] == [
        Outcome(True, "replayed", counted=1),
        Outcome(False, "already_replayed"),
    ]
    assert carry_out(world.dependencies, world.feeders) == 0


def test_a_bug_is_the_outcome_and_a_store_that_is_away_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.push(POISON)
    world.drained()
    [kept] = world.kept()
    requests = world.dependencies.state.aside_requests
    number = requests.ask(kept.id, AsideDeed.REPLAY, "Li Na", "first", NOON)
    assert carry_out(world.dependencies, world.feeders) == 1
    told = requests.find(number)
    assert told is not None
    assert told.outcome == Outcome(False, "failed", "KeyError")
    world.mended()

    def away(*given: object) -> None:
        raise StoreUnreachable("the store is away")

    number = requests.ask(kept.id, AsideDeed.REPLAY, "Li Na", "again", NOON)
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.flow.aside_deeds.enter", away)
        with pytest.raises(StoreUnreachable):
            carry_out(world.dependencies, world.feeders)
    assert [one.id for one in requests.open()] == [number]
    assert carry_out(world.dependencies, world.feeders) == 1
    assert world.figures() == {SHENZHEN: 666}


# Kept until somebody settles it


def test_the_housekeeping_takes_payloads_and_refused_bodies_and_never_what_was_accepted(world: World) -> None:
    world.push(POISON, "poison")
    world.push(GOOD, "good")
    world.push(b"old", "a", "fax")
    world.ingest.refuse("desk", "counts", b"{", NOON)
    world.drained()
    assert {kept.kind for kept in world.kept()} == set(AsideKind)
    [batch] = [one for one in world.dependencies.state.batches.covering(HOUR) if one.payload]
    world.clock.now = NOON + timedelta(days=365)
    housekeeping(world.dependencies.payloads, world.dependencies.state, 7, world.clock).run()
    with pytest.raises(FileNotFoundError):
        world.dependencies.payloads.read(batch.payload)
    kept = {one.sender_key: one for one in world.kept()}
    assert {key: one.kind for key, one in kept.items()} == {
        "poison": AsideKind.GIVEN_UP,
        "a": AsideKind.CHANNEL_GONE,
    }
    assert world.dependencies.state.aside.data(kept["poison"].id) == POISON
    assert world.dependencies.state.aside.data(kept["a"].id) == b"old"


# One listing


def test_everything_that_was_kept_aside_is_in_one_listing_without_its_contents(world: World) -> None:
    bad = row("offered", GUANGZHOU, 5) | {"region": "SECRET"}
    world.push(POISON, "given up")
    world.push(b'"SECRET"', "gone", "fax", NOON + timedelta(seconds=1))
    world.push(body(row("offered", GUANGZHOU, 5), bad), "in part", at=NOON + timedelta(seconds=2))
    world.ingest.refuse("desk", "counts", body(row("offered", GUANGZHOU, 5), bad, bad), NOON + timedelta(seconds=3))
    world.drained()
    rows = listing(world.dependencies, Wanted()).rows
    assert [row["kind"] for row in rows] == ["refused", "records", "channel_gone", "given_up"]
    assert [row["state"] for row in rows] == ["waiting", "kept", "waiting", "waiting"]
    assert all(row.keys() == rows[0].keys() for row in rows)
    shown = {row["kind"]: show(world.dependencies, row["id"]) for row in rows}
    assert [len(shown[kind].records) for kind in ("refused", "records", "channel_gone", "given_up")] == [2, 1, 0, 0]
    assert shown["refused"].records[0] == {
        "rule": "AC-02",
        "line": 2,
        "column": "region",
        "code": "unknown_region",
        "kept": False,
    }
    assert shown["given_up"].about["reason"] == "KeyError"
    assert not [word for word in ("SECRET", "a bug") if word in f"{rows} {shown}"]


def test_a_listing_is_by_channel_time_kind_and_number(world: World) -> None:
    world.push(body(row("offered", GUANGZHOU, 5), row("nothing", GUANGZHOU, 1)), "in part")
    world.push(b"old", "gone", "fax", NOON + timedelta(seconds=5))
    world.drained()

    def kinds(**wanted: Any) -> list[str]:
        return [row["kind"] for row in listing(world.dependencies, Wanted(**wanted)).rows]

    assert kinds() == ["channel_gone", "records"]
    assert kinds(channel="fax") == ["channel_gone"]
    assert kinds(kinds=("records",)) == ["records"]
    assert kinds(kinds=KINDS[1:]) == ["channel_gone"]
    assert kinds(received=Interval(NOON, NOON + timedelta(seconds=5))) == ["records"]
    newest = listing(world.dependencies, Wanted(limit=1))
    assert ([row["kind"] for row in newest.rows], newest.more) == (["channel_gone"], True)
    assert not listing(world.dependencies, Wanted(limit=2)).more


def test_what_was_asked_about_a_body_is_shown_with_it(world: World) -> None:
    world.push(b"old", "a", "fax")
    world.drained()
    [kept] = world.kept()
    world.dependencies.state.aside_requests.ask(kept.id, AsideDeed.REPLAY, "Li Na", WHY, NOON)
    carry_out(world.dependencies, world.feeders)
    [request] = show(world.dependencies, kept.id).requests
    assert (request["deed"], request["who"], request["outcome"]) == ("replay", "Li Na", "channel_gone")
