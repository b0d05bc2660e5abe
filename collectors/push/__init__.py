"""Figures that a channel system pushes by itself: see `README.md`."""

from collectors import Plan
from collectors.push.collector import PushCollector
from collectors.push.options import Options

__all__ = ["Options", "PushCollector", "build"]


def build(plan: Plan) -> PushCollector:
    """Make the collector of a pushing source."""
    return PushCollector(plan)
