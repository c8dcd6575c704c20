"""Change requests: who asked for them, of which text the stamped form is, when they were closed."""

import hashlib

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
    _stamped(op.get_bind())
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.alter_column("requested_by_id", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("form_new", existing_type=sa.Boolean(), server_default=None)
        batch_op.create_index("ix_changes_closed_at", ["closed_at"])


def _stamped(connection) -> None:
    """A form that is scanned in already counts for the requirement as it stands."""
    scanned = "SELECT subject_id FROM files WHERE purpose = 'change_form' AND removed_at IS NULL"
    rows = connection.execute(sa.text(f"SELECT id, requirement FROM changes WHERE id IN ({scanned})")).all()
    for id, requirement in rows:
        hash = hashlib.sha256(requirement.encode()).hexdigest()
        connection.execute(sa.text("UPDATE changes SET stamped_sha256 = :hash WHERE id = :id"), {"hash": hash, "id": id})


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
