"""CP-05: every push that was accepted was counted. It lies on no grid: what was not counted has no cell."""

from dataclasses import dataclass
from datetime import UTC, datetime

from data_quality.registry import Dimension, Row, recorded_rule
from metrics.findings import CheckState, Finding

EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What a pass has looked at: all pushes that there are, whenever they came."""


@dataclass(frozen=True)
class AcceptedPushes:
    """The pushes of one source that were answered 202, since the oldest that is not counted was."""

    channel: str
    source: str
    """Also one that the catalogue does not have any more."""
    counted: int
    waiting: int
    """Kept aside, and nobody has said yet what shall become of them."""
    discarded: int
    """Kept aside, and somebody has said why they shall not count."""
    first: datetime | None = None
    """When the oldest that waits was received; None: none waits."""
    last: datetime | None = None
    reason: str = ""
    """Why the newest that waits is not counted: a words key under `fault.`, or the type of an error."""
    batch: str = ""
    """The name that its sender was told."""
    rows: tuple[Row, ...] = ()
    """Those that wait: batch, reason, when received; the newest first, not always all."""


@recorded_rule("CP-05", dimension=Dimension.COMPLETENESS)
def every_accepted_push_was_counted(pushes: AcceptedPushes) -> Finding:
    """What was answered 202 is counted, or somebody has said why it is not to count.

    It fails while a body is kept aside that could not be counted, or whose channel has gone (`./watchfloor aside`).
    Silent of sources that pushed nothing.
    """
    looked_at = pushes.counted + pushes.waiting + pushes.discarded
    if not pushes.waiting:
        state = CheckState.PASS if looked_at else CheckState.NA
        return Finding("CP-05", state, pushes.channel, pushes.source, start=EVER[0], end=EVER[1], expected=looked_at)
    return Finding(
        "CP-05", CheckState.FAIL, pushes.channel, pushes.source, start=pushes.first, end=pushes.last,
        bad=pushes.waiting, expected=pushes.counted + pushes.waiting,
        facts={"error": pushes.reason, "batch": pushes.batch}, rows=pushes.rows,
    )  # fmt: skip
