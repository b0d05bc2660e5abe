"""A query against a channel's own database, through SQLAlchemy; README.md says what is asked, held and given."""

from collectors import Collector, Plan
from collectors.sql.collector import SqlCollector
from collectors.sql.options import Options

__all__ = ["Options", "build"]


def build(plan: Plan) -> Collector:
    """Make the collector; raises ValueError where its map names what the catalogue does not know."""
    return SqlCollector(plan)
