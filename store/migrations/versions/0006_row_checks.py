"""What the rows of a batch showed stands in its record, and a finding about rows ends batch by batch."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns; parts that named no time get the window of their batch."""
    op.add_column("batch", sa.Column("figures", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("batch", sa.Column("wrong", sa.Integer, nullable=False, server_default="0"))
    op.add_column("batch", sa.Column("row_checks", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("finding_part", sa.Column("ended", sa.String(16), nullable=False, server_default=""))
    batch = sa.table("batch", *(sa.column(name) for name in ("id", "start", "end", "wrong", "rejects")))
    part = sa.table("finding_part", *(sa.column(name) for name in ("batch", "interval_start", "interval_end")))
    op.execute(sa.update(batch).values(wrong=batch.c.rejects))
    for own, edge in ((part.c.interval_start, batch.c.start), (part.c.interval_end, batch.c.end)):
        window = sa.select(edge).where(batch.c.id == part.c.batch).scalar_subquery()
        op.execute(sa.update(part).where(own.is_(None)).values({own: window}))


def downgrade() -> None:
    """Take the columns away; the times may stay."""
    op.drop_column("finding_part", "ended")
    for name in ("row_checks", "wrong", "figures"):
        op.drop_column("batch", name)
