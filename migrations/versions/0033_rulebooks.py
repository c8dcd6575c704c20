"""Drafts of the rulebook, their trials, suggestions; and what was known when an event was recorded."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("editions") as batch:
        batch.alter_column("holds_from", existing_type=sa.DateTime(timezone=True), nullable=True)
    op.add_column("events", sa.Column("known", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=False),
        sa.Column("issued_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("body <> ''", name=op.f("ck_drafts_body")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_drafts_id")),
        sa.ForeignKeyConstraint(["base_id"], ["subjects.id"], name=op.f("fk_drafts_base_id")),
        sa.ForeignKeyConstraint(["issued_id"], ["subjects.id"], name=op.f("fk_drafts_issued_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    op.create_table(
        "suggestions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("answers", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("words <> ''", name=op.f("ck_suggestions_words")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_suggestions_id")),
        sa.ForeignKeyConstraint(["draft_id"], ["subjects.id"], name=op.f("fk_suggestions_draft_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestions")),
    )
    op.create_index("ix_suggestions_draft_id", "suggestions", ["draft_id"])
    op.create_table(
        "trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("draft_version", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.CheckConstraint("(state IN ('waiting', 'running')) = (ended_at IS NULL)", name=op.f("ck_trials_ended")),
        sa.CheckConstraint("since <= until", name=op.f("ck_trials_span")),
        sa.ForeignKeyConstraint(["draft_id"], ["subjects.id"], name=op.f("fk_trials_draft_id")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["subjects.id"], name=op.f("fk_trials_asked_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trials")),
    )
    going = sa.text("state IN ('waiting', 'running')")
    op.create_index("ix_trials_draft_id", "trials", ["draft_id"])
    op.create_index("uq_trials_going", "trials", ["draft_id"], unique=True, sqlite_where=going, postgresql_where=going)
    op.create_table(
        "trial_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("pool", sa.String(), nullable=True),
        sa.Column("fen_held", sa.Integer(), nullable=False),
        sa.Column("fen_draft", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name=op.f("fk_trial_rows_trial_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_trial_rows_subject_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["subjects.id"], name=op.f("fk_trial_rows_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_rows")),
    )
    op.create_index("ix_trial_rows_trial_id", "trial_rows", ["trial_id", "what", "id"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
