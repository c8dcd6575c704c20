"""Search: rows of words, keys found exactly, and the index of letter pairs that each database keeps in its own way."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_search_rows_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_rows")),
        sa.UniqueConstraint("subject_id", "kind", "ref", name=op.f("uq_search_rows_subject_id_kind_ref")),
    )
    op.create_table(
        "search_keys",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["row_id"], ["search_rows.id"], name=op.f("fk_search_keys_row_id")),
        sa.PrimaryKeyConstraint("key", "row_id", name=op.f("pk_search_keys")),
    )
    op.create_index(op.f("ix_search_keys_row_id"), "search_keys", ["row_id"])
    if op.get_bind().dialect.name == "sqlite":
        # keeps no words of its own, and of each piece only in which rows it stands
        op.execute(
            "CREATE VIRTUAL TABLE search_grams USING fts5 "
            "(grams, content='', detail=none, tokenize='unicode61 remove_diacritics 0')"
        )
        return
    op.execute("CREATE TABLE search_grams (row_id integer PRIMARY KEY, grams tsvector NOT NULL)")
    op.execute("CREATE INDEX ix_search_grams_grams ON search_grams USING gin (grams) WITH (fastupdate = off)")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
