"""The turn: same batch twice, newer revision wins, a failure is data, the cursor moves last."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from metrics.observations import Interval, SourceFault
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from store.facts.history import SumQuery
from store.faults import StoreFull
from tests.support.pipeline_world import GUANGZHOU, NOON, SHENZHEN, Clock, Scripted, feeder, pipeline, row

DAY = Interval(NOON - timedelta(hours=1), NOON + timedelta(hours=1))


def total(parts: Dependencies, measure: str) -> float:
    sums = parts.history.totals(SumQuery((measure,), DAY))
    return float(sums["value"].sum())


def test_the_same_figures_twice_count_once_and_corrected_ones_replace(tmp_path: Path) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as parts:
        first = [row("offered", GUANGZHOU, 10), row("offered", SHENZHEN, 5)]
        desk = feeder(parts, collector=Scripted(parts, [first, first, [row("offered", GUANGZHOU, 12)]]))
        for _ in range(3):
            turn(parts, desk)
            clock.now += timedelta(seconds=5)
        assert total(parts, "offered") == 17


def test_a_fault_costs_its_own_source_only_and_is_said_once_on_loss_and_once_on_recovery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as parts, caplog.at_level(logging.WARNING, logger="watchfloor.turn"):
        fault = SourceFault("timeout", "no answer in 5 s")
        desk = feeder(parts, "desk", Scripted(parts, [fault, fault, fault, [row("offered", GUANGZHOU, 1)]]))
        chat = feeder(parts, "chat", Scripted(parts, [[row("offered", GUANGZHOU, 7)]] * 4, "chat"))
        for _ in range(4):
            turn(parts, desk)
            turn(parts, chat)
            clock.now += timedelta(seconds=5)
        assert [record.getMessage() for record in caplog.records] == [
            "desk/counts lost: timeout: no answer in 5 s",
            "desk/counts back",
        ]
        assert total(parts, "offered") == 8
        errors = [record.error for record in parts.state.batches.recent("desk")]
        assert errors.count("timeout") == 3


def test_a_failing_source_keeps_its_error_and_the_time_since_when(tmp_path: Path) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as parts:
        desk = feeder(
            parts, collector=Scripted(parts, [SourceFault("refused", "nobody"), SourceFault("refused", "nobody")])
        )
        turn(parts, desk)
        clock.now += timedelta(minutes=5)
        turn(parts, desk)
        status = parts.state.progress.sources()["desk", "counts"]
        assert status.failing_since == NOON
        assert status.error.startswith("refused")
        assert status.last_success is None


def test_the_cursor_moves_only_after_the_tables_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    with pipeline(tmp_path, clock) as parts:
        desk = feeder(parts, collector=Scripted(parts, [[row("offered", GUANGZHOU, 1)]] * 2))

        def full(*_: object) -> None:
            raise StoreFull("no space left on device")

        with monkeypatch.context() as broken:
            broken.setattr(parts.history, "write_all", full)
            with pytest.raises(StoreFull, match="no space"):
                turn(parts, desk)
        assert parts.state.progress.cursor("desk", "counts", "live") == {}
        turn(parts, desk)
        assert parts.state.progress.cursor("desk", "counts", "live") == {"turns": 1}
        assert total(parts, "offered") == 1


def test_what_cannot_be_counted_is_kept_aside_and_the_rest_is_counted(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as parts:
        rows = [row("offered", GUANGZHOU, 3), row("offered", "999999", 4), row("offered", SHENZHEN, -1)]
        turn(parts, feeder(parts, collector=Scripted(parts, [rows])))
        assert total(parts, "offered") == 3
        aside = parts.history.aside("desk")
        assert sorted(aside["code"]) == ["below_minimum", "unknown_region"]
        assert {finding.rule for finding in parts.state.findings.open()} >= {"AC-01", "AC-02"}


def test_a_sum_that_does_not_balance_becomes_a_finding_that_names_place_and_difference(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as parts:
        rows = [row("offered", GUANGZHOU, 10), row("answered", GUANGZHOU, 6), row("abandoned", GUANGZHOU, 1)]
        turn(parts, feeder(parts, collector=Scripted(parts, [rows])))
        [finding] = [one for one in parts.state.findings.open() if one.rule == "AC-03"]
        assert finding.channel == "desk"
        assert finding.bad == 1


def test_every_payload_is_kept_as_it_came(tmp_path: Path) -> None:
    with pipeline(tmp_path, Clock()) as parts:
        batch = turn(parts, feeder(parts, collector=Scripted(parts, [[row("offered", GUANGZHOU, 3)]])))
        [record] = parts.state.batches.recent("desk")
        assert batch.payload is not None
        assert parts.payloads.read(record.payload) == batch.payload.data
