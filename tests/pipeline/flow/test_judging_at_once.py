"""Two turns of one channel that judge at the same time: what was read last is what stays on the board."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

from pipeline.dependencies import Dependencies
from pipeline.flow.judging import Touched, judge
from pipeline.flow.turn import turn
from tests.support.pipeline_world import GUANGZHOU, NOON, Clock, Scripted, feeder, pipeline, row


class HeldUp:
    """A history whose reader gets what is stored now, and gets it late."""

    def __init__(self, history: Any, read: Event, late: Event) -> None:
        self._history, self._read, self._late = history, read, late

    def __getattr__(self, name: str) -> Any:
        return getattr(self._history, name)

    def observations(self, *arguments: Any, **named: Any) -> Any:
        found = self._history.observations(*arguments, **named)
        self._read.set()
        self._late.wait(1)
        return found


def test_a_judgement_that_is_held_up_does_not_put_old_figures_over_newer_ones(tmp_path: Path) -> None:
    stored: list[Touched] = []

    def remember(_: Dependencies, touched: Sequence[Touched]) -> None:
        stored.extend(touched)

    clock = Clock()
    with pipeline(tmp_path, clock) as dependencies:
        answers = [[row("offered", GUANGZHOU, 3)], [row("offered", GUANGZHOU, 8)]]
        desk = feeder(dependencies, collector=Scripted(dependencies, answers))
        turn(dependencies, desk, judged=remember)
        read, judged_again = Event(), Event()
        held_up: Any = HeldUp(dependencies.history, read, judged_again)

        def come_again() -> None:
            assert read.wait(60)
            clock.now += timedelta(seconds=1)
            turn(dependencies, desk, judged=remember)
            judge(dependencies, stored[1:])
            judged_again.set()

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(judge, replace(dependencies, history=held_up), stored[:1])
            pool.submit(come_again).result()
            first.result()
        feed = dependencies.board.feeds["desk", "counts"]
        sums = dependencies.board.window(feed, "15min", NOON)
        assert sums is not None
        assert sums.values[feed.measures.keys["offered"], dependencies.board.places.index["100000"]] == 8
