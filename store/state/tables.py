"""The tables of state, as the newest migration leaves them (a test compares the two)."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from metrics.observations import NaiveTime

KEPT = 4096
"""Instants whose forms in the database are kept; they are what they are, so none of them is ever wrong."""


class Moment(TypeDecorator[datetime]):
    """An aware instant; databases without zones (SQLite) hold it in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """As `process_bind_param`, each instant once: a round of checks writes the same few thousands of times."""
        convert = super().bind_processor(dialect)
        return convert and lru_cache(KEPT)(convert)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """As `process_result_value`, each instant once."""
        convert = super().result_processor(dialect, coltype)
        return convert and lru_cache(KEPT)(convert)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: the database would take them for its own zone."""
        if value is not None and value.tzinfo is None:
            raise NaiveTime(f"{value.isoformat()} has no time zone and cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)
NAME = String(64)

cursor = Table(
    "cursor",
    metadata,
    Column("channel", NAME, primary_key=True),
    Column("source", NAME, primary_key=True),
    Column("job", String(200), primary_key=True),
    Column("position", JSON, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

source_status = Table(
    "source_status",
    metadata,
    Column("channel", NAME, primary_key=True),
    Column("source", NAME, primary_key=True),
    Column("last_success", Moment),
    Column("covered_until", Moment),
    Column("failing_since", Moment),
    Column("error", Text, nullable=False),
)

batch = Table(
    "batch",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("channel", NAME, nullable=False),
    Column("source", NAME, nullable=False),
    Column("start", Moment, nullable=False),
    Column("end", Moment, nullable=False, index=True),
    Column("fetched_at", Moment, nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("read", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("rejects", Integer, nullable=False),
    Column("excluded", JSON, nullable=False),
    Column("figures", Boolean, nullable=False),
    Column("wrong", Integer, nullable=False),
    Column("row_checks", JSON, nullable=False),
    Column("error", NAME, nullable=False),
    Column("detail", Text, nullable=False),
    Column("payload", String(200), nullable=False),
    Column("stored_at", Moment, nullable=False),
    Index("ix_batch_channel_source", "channel", "source", "fetched_at"),
)

finding = Table(
    "finding",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("rule", NAME, nullable=False),
    Column("channel", NAME, nullable=False),
    Column("source", NAME, nullable=False),
    Column("region", NAME, nullable=False),
    Column("measure", NAME, nullable=False),
    Column("state", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("closed_at", Moment, index=True),
    Column("interval_start", Moment),
    Column("interval_end", Moment),
    Column("bad", Integer, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("batch", String(200), nullable=False),
)

finding_part = Table(
    "finding_part",
    metadata,
    Column("finding", Integer, ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True),
    Column("batch", String(200), primary_key=True),
    Column("interval_start", Moment),
    Column("interval_end", Moment),
    Column("bad", Integer, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("rows", JSON, nullable=False),
    Column("ended", String(16), nullable=False),
)
"""What one batch added to a finding about rows; '' is what the last look at stored figures said.

`ended`: '' while it goes on, else why it counts no more (`store/state/row_parts.py`)."""

user = Table(
    "user_account",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("password_hash", String(200), nullable=False),
    Column("role", String(32), nullable=False),
    Column("region", String(32), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

access_token = Table(
    "access_token",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True, index=True),
    Column("name", String(100), nullable=False),
    Column("role", String(32), nullable=False),
    Column("region", String(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

audit_trail = Table(
    "audit_trail",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("who", String(100), nullable=False),
    Column("what", String(100), nullable=False),
    Column("detail", Text, nullable=False),
)

tier_horizon = Table(
    "tier_horizon",
    metadata,
    Column("tier", NAME, primary_key=True),
    Column("closed", Moment, nullable=False),
    Column("forgotten", Moment),
)

tier_front = Table(
    "tier_front",
    metadata,
    Column("tier", NAME, primary_key=True),
    Column("channel", NAME, primary_key=True),
    Column("rolled", Moment, nullable=False),
    Column("proved", Moment, nullable=False),
)

tier_late = Table(
    "tier_late",
    metadata,
    Column("tier", NAME, primary_key=True),
    Column("channel", NAME, primary_key=True),
    Column("start", Moment, primary_key=True),
    Column("token", NAME, nullable=False),
)

aside_body = Table(
    "aside_body",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("channel", NAME, nullable=False),
    Column("source", NAME, nullable=False),
    Column("batch", String(200), nullable=False),
    Column("sender_key", String(200), nullable=False),
    Column("received_at", Moment, nullable=False, index=True),
    Column("kept_at", Moment, nullable=False),
    Column("size", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("reason", NAME, nullable=False),
    Column("state", String(16), nullable=False),
    Column("who", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("settled_at", Moment),
    Index("ix_aside_body_channel_source", "channel", "source", "state"),
)
"""Pushed bodies that were not counted; the facts of PostgreSQL, which may share the schema, have a table `aside`."""

aside_bytes = Table(
    "aside_bytes",
    metadata,
    Column("body", NAME, ForeignKey("aside_body.id", ondelete="CASCADE"), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""Apart from what is told of them, so that a listing reads no bytes."""

aside_request = Table(
    "aside_request",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("body", NAME, ForeignKey("aside_body.id", ondelete="CASCADE"), nullable=False),
    Column("deed", String(16), nullable=False),
    Column("who", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("taken_at", Moment),
    Column("done_at", Moment, index=True),
    Column("done", Boolean, nullable=False),
    Column("outcome", NAME, nullable=False),
    Column("detail", Text, nullable=False),
    Column("counted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
)
"""What is to be done with bodies kept aside, by the process that holds the facts."""
