"""What the push endpoint refused, noted for the steward: nothing is lost in silence, also not a mistake of a sender.

It comes by the same stream as what was taken, since the push endpoint may be in a process that has no store.
"""

from collectors import Ask
from metrics.observations import Interval, Parsed, Payload, SourceFault
from pipeline.dependencies import Dependencies
from pipeline.flow.aside import keep_refused
from pipeline.flow.batches import make_batch
from pipeline.flow.feeder import Feeder
from pipeline.flow.storing import keep_rejects, remember


def note_refusal(
    dependencies: Dependencies, feeder: Feeder, payload: Payload, parsed: Parsed | None, fault: SourceFault | None
) -> None:
    """Keep a refused body and its faults aside; none of it is stored as a figure."""
    ask = Ask(Interval(payload.fetched_at, payload.fetched_at), {}, payload.fetched_at)
    batch = make_batch(feeder, ask, payload, parsed, fault or SourceFault("refused_at_receipt", "", permanent=True))
    keep_rejects(dependencies, batch)
    keep_refused(dependencies, batch, payload.data)
    remember(dependencies, [(feeder, batch)], [""])
    dependencies.wake()
