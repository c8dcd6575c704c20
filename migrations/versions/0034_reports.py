"""Reports of any span of days; those given back are kept; who is told of which."""

from calendar import monthrange

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.alter_column("month", new_column_name="since", existing_type=sa.Date(), existing_nullable=False)
        batch_op.add_column(sa.Column("until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("remarks", sa.JSON(), nullable=False, server_default="{}"))
    _ends(op.get_bind())
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.alter_column("until", existing_type=sa.Date(), nullable=False)
        batch_op.alter_column("remarks", existing_type=sa.JSON(), server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_reports_period"), "since <= until")
        batch_op.create_index("ix_reports_until", ["until", "id"])
    op.create_table(
        "report_returns",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_by_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_by_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_report_returns_report_id")),
        sa.ForeignKeyConstraint(["returned_by_id"], ["subjects.id"], name=op.f("fk_report_returns_returned_by_id")),
        sa.ForeignKeyConstraint(["submitted_by_id"], ["subjects.id"], name=op.f("fk_report_returns_submitted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_returns")),
    )
    op.create_index(op.f("ix_report_returns_report_id"), "report_returns", ["report_id"])
    op.create_table(
        "report_readers",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("named_on", sa.Date(), nullable=False),
        sa.CheckConstraint("days BETWEEN 1 AND 28", name=op.f("ck_report_readers_days")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_report_readers_user_id")),
        sa.PrimaryKeyConstraint("kind", "user_id", name=op.f("pk_report_readers")),
    )


def _ends(connection) -> None:
    """Those there are were of a month each: their last day, and the name by which a month has one."""
    reports = sa.table("reports", sa.column("id"), sa.column("since", sa.Date()), sa.column("until", sa.Date()))
    subjects = sa.table("subjects", sa.column("id"), sa.column("category"), sa.column("external_ref"))
    rows = connection.execute(sa.select(reports.c.id, reports.c.since, subjects.c.category).join(subjects, subjects.c.id == reports.c.id)).all()
    for id, since, category in rows:
        until = since.replace(day=monthrange(since.year, since.month)[1])
        connection.execute(sa.update(reports).where(reports.c.id == id).values(until=until))
        connection.execute(sa.update(subjects).where(subjects.c.id == id).values(external_ref=f"{category} {until}"))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
