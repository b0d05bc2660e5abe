"""Hostile pushes at the door: each is taken whole or refused by name, and nothing impossible is stored unsaid."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.facts.history import BatchStamp
from tests.support.hostile_pushes import Push, pushes
from tests.support.hostile_world import PushTrial, audit_everything, flawless, push_trial
from tests.support.push_world import TOKENS

COUNT = 600
EVERY = 100
"""Pushes between two drains of the stream."""

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["440100", "contacts"])
JSON = st.recursive(SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=15)
RECORD = st.fixed_dictionaries(
    {"measure": st.just("contacts") | JSON, "region": st.just("440100") | JSON},
    optional={"start": JSON | st.datetimes().map(str), "value": JSON, "dimensions": JSON, "note": JSON},
)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushTrial]:
    with pytest.MonkeyPatch.context() as patch:
        for name, token in TOKENS.items():
            patch.setenv(f"WATCHFLOOR_TOKEN_{name.upper()}", token)
        with push_trial(tmp_path_factory.mktemp("pushes")) as made:
            yield made


def sent(body: bytes) -> Push:
    headers = {
        "Authorization": f"Bearer {TOKENS['desk']}",
        "Idempotency-Key": str(hash(body)),
        "Content-Type": "application/json",
    }
    return Push("/ingest/v1/desk", headers, body)


@pytest.mark.timeout(300)
def test_hostile_pushes_are_taken_whole_or_refused_by_name(trial: PushTrial) -> None:
    chance = Random(20261121)
    for number in range(COUNT):
        trial.push(pushes(chance, trial.dependencies.clock()))
        if number % EVERY == 0:
            trial.drained()
    trial.drained()
    audit_everything(trial.dependencies, trial.tally)
    flawless(trial.tally)
    assert set(trial.tally.answers) >= {"202", "400", "401", "404", "409", "413", "415", "422"}
    assert len(trial.tally.told) > 20
    assert trial.tally.stored > 50


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RECORD | JSON, max_size=5), st.dictionaries(st.text(), JSON, max_size=1))
def test_any_records_are_counted_or_refused_by_name(
    trial: PushTrial, records: list[Any], beside: dict[str, Any]
) -> None:
    answer = trial.push(sent(json.dumps({**beside, "observations": records}).encode()))
    flawless(trial.tally)
    assert answer is not None
    assert answer.status_code in (202, 400, 422)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | JSON.map(lambda document: json.dumps(document).encode()))
def test_any_bytes_are_refused_by_name(trial: PushTrial, data: bytes) -> None:
    answer = trial.push(sent(data))
    flawless(trial.tally)
    assert answer is not None
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"value": -1.0},
        {"value": 1e9},
        {"value": 0.5},
        {"region": "710000"},
        {"dimension": "service_type=fishing"},
        {"late_s": 7},
    ],
)
def test_an_impossible_row_that_had_come_in_by_another_way_would_be_seen_and_said(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    """The proof itself is put to the test: what it looks for, it finds."""
    with push_trial(tmp_path) as trial:
        write(trial, trial.dependencies.clock(), **change)
        audit_everything(trial.dependencies, trial.tally)
        assert (trial.tally.stored, trial.tally.doubted, trial.tally.impossible) == (1, 1, [])


def test_an_impossible_row_that_nobody_mentions_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.hostile_world.audit", lambda evidence: [])
    with push_trial(tmp_path) as trial:
        write(trial, trial.dependencies.clock(), value=-1.0)
        audit_everything(trial.dependencies, trial.tally)
        assert len(trial.tally.impossible) == 1


def write(trial: PushTrial, now: datetime, **change: Any) -> None:
    """Put one row into the store past every door."""
    minute = now.replace(second=0, microsecond=0) - timedelta(minutes=5) + timedelta(seconds=change.pop("late_s", 0))
    row = {"measure": "contacts", "region": "440100", "dimension": "", "start": minute, "value": 1.0} | change
    table = pd.DataFrame([row]).astype({"start": "datetime64[s, UTC]"})
    trial.dependencies.history.write(BatchStamp("b", "desk", "counts", 1, now), table)
