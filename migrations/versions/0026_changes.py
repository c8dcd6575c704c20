"""Change requests, and every date that was promised."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("installation_id", sa.Integer(), nullable=True),
        sa.Column("requirement", sa.String(), nullable=False),
        sa.Column("agreed", sa.String(), nullable=False),
        sa.Column("opinion", sa.String(), nullable=False),
        sa.Column("approved_sha256", sa.String(), nullable=True),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("changed", sa.String(), nullable=False),
        sa.Column("how_to_test", sa.String(), nullable=False),
        sa.Column("tests", sa.Integer(), nullable=False),
        sa.Column("updated_on", sa.Date(), nullable=True),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.Column("said", sa.String(), nullable=False),
        sa.CheckConstraint("mark BETWEEN 1 AND 5", name=op.f("ck_changes_mark")),
        sa.CheckConstraint("tests >= 0", name=op.f("ck_changes_tests")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_changes_id")),
        sa.ForeignKeyConstraint(["installation_id"], ["installations.id"], name=op.f("fk_changes_installation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index("ix_changes_expected_on", "changes", ["expected_on", "id"])
    op.create_table(
        "change_promises",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name=op.f("fk_change_promises_change_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["subjects.id"], name=op.f("fk_change_promises_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_promises")),
    )
    op.create_index(op.f("ix_change_promises_change_id"), "change_promises", ["change_id"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
