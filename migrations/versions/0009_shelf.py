"""A name stands for one filter of a person's in a list."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TWICE = """DELETE FROM saved_filters WHERE EXISTS (SELECT 1 FROM saved_filters AS later WHERE later.id > saved_filters.id
AND later.owner_id = saved_filters.owner_id AND later."table" = saved_filters."table" AND later.name = saved_filters.name)"""


def upgrade() -> None:
    op.execute(TWICE)
    with op.batch_alter_table("saved_filters", schema=None) as batch_op:
        batch_op.create_unique_constraint(op.f("uq_saved_filters_owner_id_table_name"), ["owner_id", "table", "name"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
