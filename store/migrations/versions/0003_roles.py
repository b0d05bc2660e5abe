"""Accounts have a role that says what they may do; those that are there get the one that leaves them what they saw."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NATION = "100000"
account = sa.table("user_account", sa.column("role", sa.String), sa.column("region", sa.String))


def upgrade() -> None:
    """Executives for the nation, managers for the provinces."""
    op.execute(
        account.update().values(role=sa.case((account.c.region == NATION, "executive"), else_="province_manager"))
    )


def downgrade() -> None:
    """Back to the one role there was."""
    op.execute(account.update().values(role="viewer"))
