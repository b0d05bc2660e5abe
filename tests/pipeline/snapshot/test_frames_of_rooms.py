"""A room adds a frame to the snapshot: nothing on its way to the screens is changed for it."""

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from metrics.readings import COUNT, READINGS, TEXT, TIME, FrameBuilder, Frames, FrameSpec
from pipeline.flow.turn import turn
from pipeline.snapshot.builder import SnapshotBuilder
from store.valkey.embedded import EmbeddedValkey
from store.valkey.live import Live
from tests.support.pipeline_world import GUANGZHOU, NOON, Clock, Scripted, feeder, pipeline, row

ALERTS = FrameSpec("alerts", {"metric": TEXT, "since": TIME, "readings": COUNT})


def alerts(now: datetime, frames: Frames) -> pd.DataFrame:
    """Stands on the readings of the same snapshot, and has a column too many."""
    readings = frames[READINGS.name]
    rows = [("offered", now, int((readings["metric"] == "offered").sum()), "for nobody")]
    return ALERTS.typed(pd.DataFrame(rows, columns=[*ALERTS.columns, "internal"]))


def test_a_frame_of_another_room_travels_from_its_builder_to_a_web_process(tmp_path: Path) -> None:
    now = NOON + timedelta(seconds=1)
    with (
        pipeline(tmp_path, Clock(now)) as dependencies,
        EmbeddedValkey(tmp_path / "valkey") as valkey,
        closing(Live(valkey.url)) as live,
    ):
        turn(dependencies, feeder(dependencies, "desk", Scripted(dependencies, [[row("offered", GUANGZHOU, 3)]])))
        live.publish(SnapshotBuilder(dependencies, simulated=True, others=[FrameBuilder(ALERTS, alerts)]).build())
        found = live.read()
    assert found is not None
    frame = found.frames[ALERTS.name]
    assert list(frame.columns) == ALERTS.columns
    [(metric, since, readings)] = frame.itertuples(index=False)
    assert (metric, since) == ("offered", now)
    assert readings == (found.readings["metric"] == "offered").sum() > 0


def test_without_rows_a_frame_has_its_columns_and_types() -> None:
    assert ALERTS.empty().dtypes.astype(str).to_dict() | {"metric": TEXT} == ALERTS.types
