"""Callbacks, and records whose outcome is called back."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("called_back", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attitude", sa.Integer(), nullable=True),
        sa.Column("skill", sa.Integer(), nullable=True),
        sa.Column("result", sa.Integer(), nullable=True),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("software", sa.String(), nullable=False),
        sa.Column("doubt", sa.String(), nullable=False),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_callbacks_attempts")),
        sa.CheckConstraint("attitude BETWEEN 1 AND 5", name=op.f("ck_callbacks_attitude")),
        sa.CheckConstraint("result BETWEEN 1 AND 5", name=op.f("ck_callbacks_result")),
        sa.CheckConstraint("skill BETWEEN 1 AND 5", name=op.f("ck_callbacks_skill")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_callbacks_contact_id")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_callbacks_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    op.create_index("ix_callbacks_reached", "callbacks", ["reached_at"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
