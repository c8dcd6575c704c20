"""Penalties, the month's statements and the fund. What a complaint recommends is decided on its penalty from now on."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

GROUNDS = "kind IN ('paper.lost', 'callback.unrecorded')"
CONFIRMED = "kind IN ('opinion.confirmed', 'opinion.reviewed', 'opinion.reweighed')"
FINED = "breached_by_id IS NOT NULL AND fine_fen IS NOT NULL"


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _only(where: str) -> dict:
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def upgrade() -> None:
    _penalties()
    op.create_table(
        "penalty_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month_id", sa.Integer(), nullable=False),
        sa.Column("penalty_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.Integer(), nullable=False),
        sa.Column("adjusts", sa.Boolean(), nullable=False),
        _key("penalty_lines", "month_id", "subjects"),
        _key("penalty_lines", "penalty_id", "penalties"),
        _key("penalty_lines", "person_id", "subjects"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_penalty_lines")),
        sa.UniqueConstraint("month_id", "penalty_id", name=op.f("uq_penalty_lines_month_id_penalty_id")),
    )
    op.create_index(op.f("ix_penalty_lines_penalty_id"), "penalty_lines", ["penalty_id"])
    _fund()
    op.create_index("ix_events_grounds", "events", ["id"], **_only(GROUNDS))
    op.create_index("ix_duties_fined", "duties", ["breached_by_id"], **_only(FINED))
    op.create_index("ix_events_confirmed", "events", ["id"], **_only(CONFIRMED))
    op.create_index("ix_duties_costly", "duties", ["due_at"], **_only("fine_clause IS NOT NULL"))
    weighed = "rule IN ('opinion.weigh', 'opinion.weigh_lead') AND kept_by_id IS NULL AND dropped_by_id IS NULL"
    op.execute(f"UPDATE duties SET dropped_by_id = opened_by_id WHERE {weighed}")
    op.drop_column("opinions", "decision")


def _penalties() -> None:
    people = ("entered_by_id", "issued_by_id", "first_witness_id", "second_witness_id")
    words = ("facts_said", "witnesses", "appeal", "answer", "decision")
    op.create_table(
        "penalties",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("sanction", sa.String(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause_id", sa.Integer(), nullable=True),
        sa.Column("duty_id", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=True) for name in people),
        sa.Column("fen", sa.Integer(), nullable=True),
        sa.Column("reduced_fen", sa.Integer(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in words),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("witnessed", sa.JSON(), nullable=False),
        sa.Column("ill_mannered", sa.Boolean(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("fen >= 0", name=op.f("ck_penalties_fen")),
        sa.CheckConstraint("reduced_fen >= 0 AND reduced_fen < fen", name=op.f("ck_penalties_reduced")),
        sa.CheckConstraint("(issued_at IS NULL) = (issued_by_id IS NULL)", name=op.f("ck_penalties_issued")),
        sa.CheckConstraint("cause_id IS NOT NULL OR entered_by_id IS NOT NULL", name=op.f("ck_penalties_ground")),
        _key("penalties", "id", "subjects"),
        _key("penalties", "cause_id", "events"),
        _key("penalties", "duty_id", "duties"),
        *(_key("penalties", name, "subjects") for name in people),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_penalties")),
        sa.UniqueConstraint("duty_id", name=op.f("uq_penalties_duty_id")),
    )
    op.create_index("ix_penalties_cause_id", "penalties", ["cause_id"])
    op.create_index("ix_penalties_happened_at", "penalties", ["happened_at"])


def _fund() -> None:
    op.create_table(
        "months",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.JSON(), nullable=True),
        sa.CheckConstraint("(body IS NULL) = (closed_at IS NULL)", name=op.f("ck_months_frozen")),
        _key("months", "id", "subjects"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_months")),
        sa.UniqueConstraint("month", name=op.f("uq_months_month")),
    )
    op.create_table(
        "fund_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("month_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind <> 'spent' OR fen < 0", name=op.f("ck_fund_entries_out")),
        sa.CheckConstraint("(kind = 'reversed') = (reverses_id IS NOT NULL)", name=op.f("ck_fund_entries_reverses")),
        _key("fund_entries", "month_id", "subjects"),
        _key("fund_entries", "event_id", "events"),
        _key("fund_entries", "reverses_id", "fund_entries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fund_entries")),
        sa.UniqueConstraint("event_id", name=op.f("uq_fund_entries_event_id")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_fund_entries_reverses_id")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
