"""Who typed a service period; whether a customer is written to by post."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("service_periods") as batch_op:
        batch_op.add_column(sa.Column("entered_by_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key("fk_service_periods_entered_by_id_subjects", "subjects", ["entered_by_id"], ["id"])
    with op.batch_alter_table("customers") as batch_op:
        batch_op.add_column(sa.Column("by_post", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("customers") as batch_op:
        batch_op.alter_column("by_post", server_default=None)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
