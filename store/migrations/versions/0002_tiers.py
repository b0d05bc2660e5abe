"""How far the tiers of facts are rolled, and which of their buckets were touched since."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NAME = sa.String(64)
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tier_horizon",
        sa.Column("tier", NAME, primary_key=True),
        sa.Column("closed", MOMENT, nullable=False),
        sa.Column("forgotten", MOMENT),
    )
    op.create_table(
        "tier_front",
        sa.Column("tier", NAME, primary_key=True),
        sa.Column("channel", NAME, primary_key=True),
        sa.Column("rolled", MOMENT, nullable=False),
        sa.Column("proved", MOMENT, nullable=False),
    )
    op.create_table(
        "tier_late",
        sa.Column("tier", NAME, primary_key=True),
        sa.Column("channel", NAME, primary_key=True),
        sa.Column("start", MOMENT, primary_key=True),
        sa.Column("token", NAME, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("tier_late", "tier_front", "tier_horizon"):
        op.drop_table(table)
