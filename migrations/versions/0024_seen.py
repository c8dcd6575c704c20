"""On PostgreSQL a list is counted from its index alone, as far as its reader may see."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.drop_index("ix_subjects_kind_id", table_name="subjects")
    op.create_index("ix_subjects_kind_id", "subjects", ["kind", "id"], postgresql_include=["category", "owner_id"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
