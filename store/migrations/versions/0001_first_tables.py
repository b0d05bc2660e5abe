"""Cursors, sources, batches, findings, users and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME = sa.String(64)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _progress()
    _batches()
    _findings()
    _people()


def downgrade() -> None:
    """Drop them."""
    for table in ("audit_trail", "user_account", "finding_part", "finding", "batch", "source_status", "cursor"):
        op.drop_table(table)


def _progress() -> None:
    op.create_table(
        "cursor",
        sa.Column("channel", NAME, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("job", sa.String(200), nullable=False),
        sa.Column("position", sa.JSON, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("channel", "source", "job", name="pk_cursor"),
    )
    op.create_table(
        "source_status",
        sa.Column("channel", NAME, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("last_success", MOMENT),
        sa.Column("covered_until", MOMENT),
        sa.Column("failing_since", MOMENT),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("channel", "source", name="pk_source_status"),
    )


def _batches() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("channel", NAME, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("end", MOMENT, nullable=False),
        sa.Column("fetched_at", MOMENT, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("read", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("rejects", sa.Integer, nullable=False),
        sa.Column("excluded", sa.JSON, nullable=False),
        sa.Column("error", NAME, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("payload", sa.String(200), nullable=False),
        sa.Column("stored_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
    )
    op.create_index("ix_batch_end", "batch", ["end"])
    op.create_index("ix_batch_fetched_at", "batch", ["fetched_at"])
    op.create_index("ix_batch_channel_source", "batch", ["channel", "source", "fetched_at"])


def _findings() -> None:
    names = ("rule", "channel", "source", "region", "measure")
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        *(sa.Column(name, NAME, nullable=False) for name in names),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("interval_start", MOMENT),
        sa.Column("interval_end", MOMENT),
        sa.Column("bad", sa.Integer, nullable=False),
        sa.Column("expected", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("batch", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
    )
    op.create_index("ix_finding_closed_at", "finding", ["closed_at"])
    op.create_table(
        "finding_part",
        sa.Column("finding", sa.Integer, nullable=False),
        sa.Column("batch", sa.String(200), nullable=False),
        sa.Column("interval_start", MOMENT),
        sa.Column("interval_end", MOMENT),
        sa.Column("bad", sa.Integer, nullable=False),
        sa.Column("expected", sa.Integer, nullable=False),
        sa.Column("rows", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(["finding"], ["finding.id"], ondelete="CASCADE", name="fk_finding_part_finding"),
        sa.PrimaryKeyConstraint("finding", "batch", name="pk_finding_part"),
    )


def _people() -> None:
    op.create_table(
        "user_account",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("region", sa.String(32), nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_user_account"),
    )
    op.create_table(
        "audit_trail",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("what", sa.String(100), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_trail"),
    )
    op.create_index("ix_audit_trail_at", "audit_trail", ["at"])
