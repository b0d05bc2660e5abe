"""Figures that a channel system pushes by itself: see `README.md`."""

from collections.abc import Sequence

from collectors import Plan, ReceivingSource
from collectors.push.collector import PushCollector
from collectors.push.endpoint import PATH, PushEndpoint
from collectors.push.options import Options
from collectors.receiving import Intake, ReceivingAddress

__all__ = ["PATH", "Options", "PushCollector", "addresses", "build"]


def build(plan: Plan) -> PushCollector:
    """Make the receiver of a pushing source."""
    return PushCollector(plan)


def addresses(sources: Sequence[ReceivingSource], intake: Intake) -> list[ReceivingAddress]:
    """The push endpoint, which tells its channels apart by their tokens."""
    collectors = {
        source.channel.id: source.collector for source in sources if isinstance(source.collector, PushCollector)
    }
    return PushEndpoint(collectors, intake).addresses()
