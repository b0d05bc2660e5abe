"""The snapshot: whole from the first second, exact over channels, honest about what it does not know."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from config.catalogue import NATION
from metrics.observations import SourceFault
from metrics.readings import FINDINGS, FLOW, READINGS, SCORES, SOURCES, TEXT, TREND, FrameSpec, Snapshot
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from pipeline.snapshot.builder import SnapshotBuilder
from store.valkey.packing import pack, unpack
from tests.support.pipeline_world import GUANGZHOU, NOON, WUHAN, Clock, Scripted, feeder, pass_time, pipeline, row


def reading(
    snapshot: Snapshot, metric: str, region: str = NATION, channel: str = "", window: str = "15min"
) -> dict[str, Any]:
    found = snapshot.readings
    rows: list[dict[str, Any]] = found[
        (found["metric"] == metric)
        & (found["region"] == region)
        & (found["channel"] == channel)
        & (found["window"] == window)
    ].to_dict("records")
    [one] = rows
    return one


def push(dependencies: Dependencies, channel: str, rows: list[dict[str, Any]]) -> None:
    turn(dependencies, feeder(dependencies, channel, Scripted(dependencies, [rows], channel)))


@pytest.fixture
def dependencies(tmp_path: Path) -> Iterator[Dependencies]:
    with pipeline(tmp_path, Clock(NOON + timedelta(seconds=1))) as opened:
        yield opened


@pytest.mark.parametrize("spec", [READINGS, TREND, FLOW, SOURCES, FINDINGS, SCORES], ids=lambda spec: spec.name)
def test_before_anything_came_every_frame_is_empty_and_typed_and_survives_the_way(
    dependencies: Dependencies, spec: FrameSpec
) -> None:
    frame = SnapshotBuilder(dependencies, simulated=False).build().frames[spec.name]
    back = unpack(pack(frame))
    assert list(back.columns) == list(frame.columns) == spec.columns
    for column, kind in spec.types.items():
        assert kind == TEXT or back[column].dtype == kind


def test_channels_are_joined_by_their_sums_and_only_where_they_know_the_whole_formula(
    dependencies: Dependencies,
) -> None:
    push(dependencies, "desk", [row("offered", GUANGZHOU, 1092), row("answered", GUANGZHOU, 725)])
    push(dependencies, "chat", [row("offered", WUHAN, 5000)])
    snapshot = SnapshotBuilder(dependencies, simulated=True).build()
    rate = reading(snapshot, "answer_rate")
    assert (rate["value"], rate["n"]) == (725 / 1092, 1092)
    assert reading(snapshot, "offered")["value"] == 6092
    assert reading(snapshot, "offered", "420000")["value"] == 5000


def test_0_of_0_has_no_value_and_nothing_offered_is_zero(dependencies: Dependencies) -> None:
    push(dependencies, "desk", [row("offered", GUANGZHOU, 3), row("answered", GUANGZHOU, 3)])
    snapshot = SnapshotBuilder(dependencies, simulated=True).build()
    assert reading(snapshot, "offered", WUHAN)["value"] == 0
    rate = reading(snapshot, "answer_rate", WUHAN)
    assert pd.isna(rate["value"])
    assert rate["state"] == "no_value"


def test_a_source_that_was_lost_makes_its_readings_stale_then_doubtful_with_the_reason(
    dependencies: Dependencies,
) -> None:
    push(
        dependencies,
        "desk",
        [row("offered", GUANGZHOU, 100), row("answered", GUANGZHOU, 90), row("abandoned", GUANGZHOU, 10)],
    )
    push(dependencies, "chat", [row("offered", GUANGZHOU, 10)])
    builder = SnapshotBuilder(dependencies, simulated=True)
    assert reading(builder.build(), "answer_rate")["trust"] == "sound"
    seen = []
    for _ in range(40):
        pass_time(dependencies, timedelta(minutes=1))
        turn(dependencies, feeder(dependencies, "desk", Scripted(dependencies, [SourceFault("timeout", "no answer")])))
        one = reading(builder.build(), "answer_rate")
        seen.append(one["trust"])
    assert list(dict.fromkeys(seen)) == ["sound", "stale", "doubtful"]
    assert one["reason"].startswith("trust.source_lost|desk")
    assert reading(builder.build(), "offered", channel="chat")["at"].to_pydatetime() == NOON


def test_a_snapshot_is_as_old_as_what_still_waits_to_be_counted(dependencies: Dependencies) -> None:
    at = SnapshotBuilder(dependencies, simulated=True, behind_s=lambda: 40.0).build().at
    assert at == dependencies.clock() - timedelta(seconds=40)


def test_generations_grow_also_over_a_restart(dependencies: Dependencies) -> None:
    first = SnapshotBuilder(dependencies, simulated=True).build().generation
    pass_time(dependencies, timedelta(seconds=1))
    assert SnapshotBuilder(dependencies, simulated=True).build().generation > first
