"""What every fault needs, and the table at the end.

    make test-faults                        # everything
    make test-faults ONLY=pipeline_killed   # what has this in its name
    FAULT_SEED=7 FAULT_AWAY_S=15 make test-faults

The moments of the faults are random; the seed is in the table, and given again it gives the same moments.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from tests.support.faults.course import SEED, Course, Row
from tests.support.faults.lineups import Lineup

ROWS = "fault table"
HEADINGS = ("fault", "seed", "observations", "lost", "doubled", "marked after s", "recovered after s")


@pytest.fixture
def course(record_property: Callable[[str, object], None]) -> Iterator[Callable[[Lineup, str], Course]]:
    """Begins the course of a fault, and sees to its line in the table, however it ends."""
    begun: list[Course] = []

    def begin(lineup: Lineup, name: str) -> Course:
        begun.append(Course(lineup, name, SEED))
        return begun[-1]

    yield begin
    for one in begun:
        record_property(ROWS, asdict(one.row))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table: one line a fault; what has failed is told above it."""
    rows = []
    for report in (one for reports in terminalreporter.stats.values() for one in reports):
        if getattr(report, "when", "") == "teardown":
            rows += [Row(**told) for name, told in report.user_properties if name == ROWS]
    if not rows:
        return
    lines = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    terminalreporter.section("faults")
    for line in lines:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (str(row.seed), f"{row.acknowledged:,}", str(row.lost), str(row.doubled))
    return (row.fault, *numbers, _seconds(row.marked_s), _seconds(row.recovered_s))


def _seconds(several: list[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in several) or "-"
