"""Hostile files in a source's stead: each is counted, rejected line by line or refused whole, by name."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.flow.evidence import SPAN
from tests.support.hostile_files import BOMB, WRITERS, HostileFile, files
from tests.support.hostile_world import FileTrial, audit_everything, file_trial, flawless

COUNT = 200


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileTrial]:
    with file_trial(tmp_path_factory.mktemp("files")) as made:
        yield made


@pytest.mark.timeout(300)
def test_hostile_files_of_every_kind_are_counted_or_refused_by_name(trial: FileTrial) -> None:
    chance = Random(20261121)
    for _ in range(COUNT):
        trial.take(files(chance, trial.dependencies.clock()))
    audit_everything(trial.dependencies, trial.tally)
    flawless(trial.tally)
    outcomes = {name: {one for one in trial.tally.answers if one.startswith(name)} for name in WRITERS}
    assert all(len(one) >= 2 for one in outcomes.values()), outcomes
    assert len(trial.tally.told) > 20
    assert trial.tally.stored > 500
    assert trial.tally.doubted > 0


@pytest.mark.parametrize("channel", list(WRITERS))
@pytest.mark.parametrize("bomb", BOMB)
def test_a_packed_file_that_expands_without_end_is_refused(trial: FileTrial, channel: str, bomb: bytes) -> None:
    trial.take(HostileFile(channel, WRITERS[channel][0], bomb))
    flawless(trial.tally)
    assert trial.tally.answers[f"{channel} fault"] > 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(WRITERS)), st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_of_any_kind_are_taken(trial: FileTrial, channel: str, data: bytes) -> None:
    trial.take(HostileFile(channel, WRITERS[channel][0], data))
    flawless(trial.tally)


def test_one_line_of_a_clock_that_was_never_set_does_not_have_decades_judged(trial: FileTrial) -> None:
    now = trial.dependencies.clock()
    lines = "id,caller,arrived,city,service,outcome,talk\n"
    lines += "".join(f"{at},1,{at},440100,billing,x,3\n" for at in ("1991-06-01T00:00:00Z", now.isoformat()))
    before = len(trial.judged)
    trial.take(HostileFile("calls", "calls.csv", lines.encode()))
    judged = sum((span.end - span.start for span in trial.judged[before:]), timedelta())
    assert timedelta() < judged <= 2 * SPAN
    flawless(trial.tally)
