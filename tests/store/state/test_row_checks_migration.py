"""What was found of rows before batches kept it themselves goes on, with the window of its batch."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select

from metrics.findings import CheckState, Finding
from metrics.observations import Batch, Interval
from store.state import open_state
from store.state.opening import migrate, migrate_back
from store.state.tables import finding_part
from tests.support.store_world import world

START, END = datetime(2026, 11, 21, 16, tzinfo=UTC), datetime(2026, 11, 21, 17, tzinfo=UTC)


def test_open_findings_about_rows_get_the_window_of_their_batch(tmp_path: Path) -> None:
    state = open_state(f"sqlite:///{tmp_path}/state.sqlite", world().rules)
    try:
        batch = Batch("b1", "hotline", "main", Interval(START, END), END, "", None, None)
        state.batches.keep(batch, "", END)
        found = Finding("AC-03", CheckState.FAIL, "hotline", "main", bad=1, expected=9, batch="b1", about_rows=True)
        state.findings.record_rows([found], {"b1"}, (), END)
        migrate_back(state.engine, "0003")
        migrate(state.engine)
        [shown] = state.findings.during(Interval(START, END))
        assert (shown.start, shown.end, shown.bad) == (START, END, 1)
        with state.engine.begin() as connection:
            assert connection.execute(select(finding_part.c.interval_start, finding_part.c.ended)).one() == (START, "")
            part = {"finding": shown.id, "batch": "gone", "bad": 1, "expected": 1, "rows": [], "ended": ""}
            connection.execute(insert(finding_part).values(part))
        migrate_back(state.engine, "0003")
        migrate(state.engine)
        with state.engine.connect() as connection:
            times = select(finding_part.c.interval_start).where(finding_part.c.batch == "gone")
            assert connection.execute(times).scalar_one() is None, "its batch is no longer remembered"
    finally:
        state.close()
