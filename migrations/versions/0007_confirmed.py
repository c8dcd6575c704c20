"""When a log-in's owner last gave the password in it; no more typed log-in names in the access log."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("logins", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE access SET login = ''")  # on SQLite a dropped column's bytes stay where they were
    with op.batch_alter_table("access", schema=None) as batch_op:
        batch_op.drop_column("login")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
