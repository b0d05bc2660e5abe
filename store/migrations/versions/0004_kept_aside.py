"""Pushed bodies that were not counted, their bytes, and what is to be done with them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAME = sa.String(64)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    _bodies()
    op.create_table(
        "aside_bytes",
        sa.Column("body", NAME, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["body"], ["aside_body.id"], ondelete="CASCADE", name="fk_aside_bytes_body"),
        sa.PrimaryKeyConstraint("body", name="pk_aside_bytes"),
    )
    _requests()


def downgrade() -> None:
    """Drop them."""
    for table in ("aside_request", "aside_bytes", "aside_body"):
        op.drop_table(table)


def _bodies() -> None:
    op.create_table(
        "aside_body",
        sa.Column("id", NAME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", NAME, nullable=False),
        sa.Column("source", NAME, nullable=False),
        sa.Column("batch", sa.String(200), nullable=False),
        sa.Column("sender_key", sa.String(200), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("reason", NAME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_aside_body"),
    )
    op.create_index("ix_aside_body_received_at", "aside_body", ["received_at"])
    op.create_index("ix_aside_body_channel_source", "aside_body", ["channel", "source", "state"])


def _requests() -> None:
    op.create_table(
        "aside_request",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("body", NAME, nullable=False),
        sa.Column("deed", sa.String(16), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("taken_at", MOMENT),
        sa.Column("done_at", MOMENT),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("outcome", NAME, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("counted", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["body"], ["aside_body.id"], ondelete="CASCADE", name="fk_aside_request_body"),
        sa.PrimaryKeyConstraint("id", name="pk_aside_request"),
    )
    op.create_index("ix_aside_request_done_at", "aside_request", ["done_at"])
