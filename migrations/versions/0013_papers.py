"""The register of paper forms."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "papers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entered_by_id", sa.Integer(), nullable=True),
        sa.Column("sheets", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("lent_until", sa.Date(), nullable=True),
        sa.CheckConstraint("sheets BETWEEN 1 AND 99", name=op.f("ck_papers_sheets")),
        sa.ForeignKeyConstraint(["entered_by_id"], ["subjects.id"], name=op.f("fk_papers_entered_by_id")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_papers_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_papers")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
