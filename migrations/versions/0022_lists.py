"""Lists of other kinds than customers come in from spreadsheets; what was paid may have come with one."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("import_runs") as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="customers"))
    with op.batch_alter_table("import_runs") as batch_op:
        batch_op.alter_column("kind", server_default=None)
    with op.batch_alter_table("payments") as batch_op:
        batch_op.alter_column("noted_by_id", existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
