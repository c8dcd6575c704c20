"""What stood at the head of a signed form is kept with its signature."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

signatures = sa.table("signatures", sa.column("id", sa.Integer), sa.column("customer", sa.String), sa.column("head", sa.JSON))


def upgrade() -> None:
    with op.batch_alter_table("signatures") as batch_op:
        batch_op.add_column(sa.Column("head", sa.JSON(), nullable=True))
    connection = op.get_bind()
    for id, customer in connection.execute(sa.select(signatures.c.id, signatures.c.customer)).all():
        head = signatures.update().where(signatures.c.id == id).values(head={"customer": customer})
        connection.execute(head)  # the text of its day named the customer only
    with op.batch_alter_table("signatures") as batch_op:
        batch_op.alter_column("head", existing_type=sa.JSON(), nullable=False)
        batch_op.drop_column("customer")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
