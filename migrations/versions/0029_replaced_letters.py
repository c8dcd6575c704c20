"""Which letter a letter was sent once more as."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("replaced_by_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_messages_replaced_by_id"), "messages", ["replaced_by_id"], ["id"])
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, subject_id, rule, slot FROM messages WHERE slot NOT LIKE '%#withdrawn%' ORDER BY id"))
    last: dict[tuple, int] = {}
    for id, subject_id, rule, slot in rows.all():
        key = subject_id, rule, slot.partition("#")[0]
        if "#" in slot and key in last:
            update = sa.text("UPDATE messages SET replaced_by_id = :after WHERE id = :id")
            connection.execute(update, {"after": id, "id": last[key]})
        last[key] = id


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
