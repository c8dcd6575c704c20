"""Seals name the key they were made with; what became of each step of the sweep; no event is replaced on SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def keep_events_whole(dialect: str) -> None:
    """INSERT OR REPLACE deletes the old row without asking the trigger that refuses deletion. PostgreSQL has no such thing.
    A batch on SQLite drops the triggers of `events`: such a migration calls this again, beside that of 0001."""
    if dialect == "sqlite":
        op.execute(
            "CREATE TRIGGER events_no_replace BEFORE INSERT ON events "
            "WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id) "
            "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
        )


def upgrade() -> None:
    op.add_column("seals", sa.Column("key", sa.String(), server_default="", nullable=False))
    op.create_table(
        "steps",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_steps")),
    )
    keep_events_whole(op.get_bind().dialect.name)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
