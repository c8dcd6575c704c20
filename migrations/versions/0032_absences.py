"""Leave, and what went over to the stand-in."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "absences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("to_do", sa.String(), nullable=False),
        sa.Column("unforeseen", sa.Boolean(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("away_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("away_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_absences_days")),
        sa.CheckConstraint("words <> ''", name=op.f("ck_absences_words")),
        sa.CheckConstraint("accepted_at IS NULL OR approved_at IS NOT NULL", name=op.f("ck_absences_accepted")),
        sa.CheckConstraint("returned_at IS NULL OR approved_at IS NOT NULL", name=op.f("ck_absences_returned")),
        sa.CheckConstraint("(away_from IS NULL) = (away_until IS NULL)", name=op.f("ck_absences_span")),
        sa.CheckConstraint("away_from <= away_until", name=op.f("ck_absences_order")),
        sa.CheckConstraint("away_from IS NULL OR approved_at IS NOT NULL", name=op.f("ck_absences_approved")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_absences_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_away_until", "absences", ["away_until"])
    op.create_table(
        "absence_duties",
        sa.Column("absence_id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("back", sa.String(), nullable=False),
        sa.CheckConstraint("(how = 'stays') = (why <> '')", name=op.f("ck_absence_duties_why")),
        sa.ForeignKeyConstraint(["absence_id"], ["absences.id"], name=op.f("fk_absence_duties_absence_id")),
        sa.ForeignKeyConstraint(["duty_id"], ["duties.id"], name=op.f("fk_absence_duties_duty_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_absence_duties_subject_id")),
        sa.ForeignKeyConstraint(["to_id"], ["subjects.id"], name=op.f("fk_absence_duties_to_id")),
        sa.PrimaryKeyConstraint("absence_id", "duty_id", name=op.f("pk_absence_duties")),
    )
    op.create_index(op.f("ix_absence_duties_duty_id"), "absence_duties", ["duty_id"])
    op.create_index("ix_absence_duties_to_id", "absence_duties", ["to_id", "how", "subject_id"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
