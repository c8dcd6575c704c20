"""On-site visits."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "visits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("installation_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrive_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("departments", sa.JSON(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("cost_fen", sa.Integer(), nullable=True),
        sa.Column("uncovered_reason", sa.String(), nullable=False),
        sa.Column("departed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("arrived_at >= departed_at", name=op.f("ck_visits_arrived")),
        sa.CheckConstraint("cost_fen >= 0", name=op.f("ck_visits_cost")),
        sa.CheckConstraint("ends_at > arrive_at", name=op.f("ck_visits_agreed")),
        sa.CheckConstraint("returned_at >= arrived_at", name=op.f("ck_visits_returned")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_visits_contact_id")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_visits_id")),
        sa.ForeignKeyConstraint(["installation_id"], ["subjects.id"], name=op.f("fk_visits_installation_id")),
        sa.ForeignKeyConstraint(["requested_by_id"], ["subjects.id"], name=op.f("fk_visits_requested_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
