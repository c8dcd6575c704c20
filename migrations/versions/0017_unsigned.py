"""A feedback form the customer does not sign: who said so, and why."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

SIGNED = "(way = 'screen' AND ink IS NOT NULL) OR (way = 'paper' AND file_key IS NOT NULL)"


def upgrade() -> None:
    with op.batch_alter_table("signatures") as batch_op:
        batch_op.add_column(sa.Column("words", sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("signatures") as batch_op:
        batch_op.alter_column("words", server_default=None)
        batch_op.drop_constraint(op.f("ck_signatures_way"), type_="check")
        batch_op.create_check_constraint(op.f("ck_signatures_way"), f"{SIGNED} OR (way = 'refused' AND words <> '')")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
