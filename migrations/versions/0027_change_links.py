"""Links by which customers follow their change requests."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "change_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["change_id"], ["changes.id"], name=op.f("fk_change_links_change_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_change_links_token_hash")),
    )
    op.create_index("ix_change_links_change_id", "change_links", ["change_id"])
    living = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_change_links_living", "change_links", ["change_id"], unique=True, sqlite_where=living, postgresql_where=living
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
