"""The head of letters and forms."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WORDS = ("company", "company_en", "address", "phone", "account")


def upgrade() -> None:
    op.create_table(
        "departments",
        sa.Column("id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in WORDS),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_departments_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
    )
    empty = ", ".join("''" for _ in WORDS)
    op.execute(f"INSERT INTO departments SELECT id, {empty} FROM subjects WHERE kind = 'department'")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
