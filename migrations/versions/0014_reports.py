"""Reports that are owed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(body IS NULL) = (submitted_at IS NULL)", name=op.f("ck_reports_frozen")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_reports_id")),
        sa.ForeignKeyConstraint(["submitted_by_id"], ["subjects.id"], name=op.f("fk_reports_submitted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
