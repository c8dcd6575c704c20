"""A search row's id begins with its subject's, so that rows stand in the order of their subjects. The search is emptied;
`crm run`, `crm migrate` and `crm restore` fill it again from the subjects."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM search_keys")
    if op.get_bind().dialect.name == "sqlite":  # its integers are wide enough
        op.execute("INSERT INTO search_grams (search_grams) VALUES ('delete-all')")
        op.execute("DELETE FROM search_rows")
        return
    op.execute("DELETE FROM search_grams")
    op.execute("DELETE FROM search_rows")
    op.execute("ALTER TABLE search_rows ALTER COLUMN id DROP DEFAULT")
    op.execute("DROP SEQUENCE IF EXISTS search_rows_id_seq")
    for table, column in (("search_rows", "id"), ("search_keys", "row_id"), ("search_grams", "row_id")):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
