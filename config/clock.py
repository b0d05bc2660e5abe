"""The clock of the running service; everything that needs the time is given it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time now, aware."""
    return datetime.now(UTC)
