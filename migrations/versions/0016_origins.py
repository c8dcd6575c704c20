"""Few subjects come of another or have somebody concerned: indexes over these alone."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_subjects_origin_id", "subjects")
    for name, columns, where in (
        ("ix_subjects_origin_id", ["origin_id"], sa.text("origin_id IS NOT NULL")),
        ("ix_subjects_concerned_id", ["kind", "concerned_id", "id"], sa.text("concerned_id IS NOT NULL")),
    ):
        op.create_index(name, "subjects", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
