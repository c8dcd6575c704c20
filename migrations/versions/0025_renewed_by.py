"""Which contract renewed one, and whether a manager accepted its day of payment: until now only their history said so."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TOLD = sa.text("SELECT subject_id, kind, facts FROM events WHERE kind IN ('contract.renewed', 'contract.agreed') ORDER BY id")


def upgrade() -> None:
    with op.batch_alter_table("contracts") as batch_op:
        batch_op.add_column(sa.Column("renewed_by_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("payment_accepted", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_foreign_key("fk_contracts_renewed_by_id_contracts", "contracts", ["renewed_by_id"], ["id"])
        batch_op.create_index("ix_contracts_renewed_by_id", ["renewed_by_id"])
    with op.batch_alter_table("contracts") as batch_op:
        batch_op.alter_column("payment_accepted", server_default=None)
    connection, renewed, accepted = op.get_bind(), {}, {}
    for subject_id, kind, facts in connection.execute(TOLD):
        said = json.loads(facts) if isinstance(facts, str) else facts
        if kind == "contract.renewed":
            renewed[subject_id] = said.get("of")
        elif "payment_due_on" in said.get("changes", {}):
            accepted[subject_id] = bool(said.get("accepted"))
    contracts = sa.table("contracts", sa.column("id"), sa.column("renewed_by_id"), sa.column("payment_accepted"))
    for column, values in (("renewed_by_id", renewed), ("payment_accepted", accepted)):
        rows = [{"of": id, "what": value} for id, value in values.items() if value]
        if rows:
            known = sa.update(contracts).where(contracts.c.id == sa.bindparam("of")).values({column: sa.bindparam("what")})
            connection.execute(known, rows)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
