"""Change requests: who asked for them, of which text the stamped form is, when they were closed."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("requested_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("submitted_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("stamped_sha256", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("form_new", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_changes_requested_by_id"), "subjects", ["requested_by_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_changes_submitted_by_id"), "subjects", ["submitted_by_id"], ["id"])
    for column, kind, value in (
        ("requested_by_id", "change.opened", "min(actor_id)"), ("submitted_by_id", "change.submitted", "max(actor_id)"),
        ("closed_at", "change.closed", "max(at)"),
    ):  # fmt: skip
        said = f"SELECT {value} FROM events WHERE events.subject_id = changes.id AND events.kind = '{kind}'"
        op.execute(f"UPDATE changes SET {column} = ({said})")
    op.execute("UPDATE changes SET requested_by_id = (SELECT owner_id FROM subjects WHERE subjects.id = changes.id) "
               "WHERE requested_by_id IS NULL")
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.alter_column("requested_by_id", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("form_new", existing_type=sa.Boolean(), server_default=None)
        batch_op.create_index("ix_changes_closed_at", ["closed_at"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
