"""Monthly contract plans and their lines."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(body IS NULL) = (submitted_at IS NULL)", name=op.f("ck_plans_frozen")),
        sa.CheckConstraint("(submitted_at IS NULL) = (submitted_by_id IS NULL)", name=op.f("ck_plans_submitted")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_plans_id")),
        sa.ForeignKeyConstraint(["submitted_by_id"], ["subjects.id"], name=op.f("fk_plans_submitted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("month", name=op.f("uq_plans_month")),
    )
    op.create_table(
        "plan_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("expected_fen", sa.Integer(), nullable=True),
        sa.Column("ahead", sa.Boolean(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("struck", sa.String(), nullable=False),
        sa.CheckConstraint("expected_fen >= 0", name=op.f("ck_plan_lines_expected")),
        sa.CheckConstraint("kind IN ('renewal', 'final')", name=op.f("ck_plan_lines_kind")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_plan_lines_contract_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["subjects.id"], name=op.f("fk_plan_lines_owner_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_lines_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_lines")),
        sa.UniqueConstraint("plan_id", "contract_id", name=op.f("uq_plan_lines_plan_id_contract_id")),
    )
    op.create_index(op.f("ix_plan_lines_contract_id"), "plan_lines", ["contract_id"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
