"""Serial numbers and implementations."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

IN_USE = "replaced_by_id IS NULL"


def upgrade() -> None:
    op.create_table(
        "implementations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("installation_id", sa.Integer(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.CheckConstraint("starts_on <= ended_on", name=op.f("ck_implementations_order")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_implementations_id")),
        sa.ForeignKeyConstraint(["installation_id"], ["installations.id"], name=op.f("fk_implementations_installation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_implementations")),
    )
    op.create_table(
        "serials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("installation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by_id", sa.Integer(), nullable=True),
        sa.Column("given_on", sa.Date(), nullable=True),
        sa.Column("given_to_id", sa.Integer(), nullable=True),
        sa.Column("given_by_id", sa.Integer(), nullable=True),
        sa.Column("replaced_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("number <> ''", name=op.f("ck_serials_number")),
        sa.CheckConstraint("(given_on IS NULL) = (given_to_id IS NULL)", name=op.f("ck_serials_given")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_serials_order")),
        sa.CheckConstraint("users > 0", name=op.f("ck_serials_users")),
        sa.ForeignKeyConstraint(["given_by_id"], ["subjects.id"], name=op.f("fk_serials_given_by_id")),
        sa.ForeignKeyConstraint(["given_to_id"], ["contacts.id"], name=op.f("fk_serials_given_to_id")),
        sa.ForeignKeyConstraint(["installation_id"], ["installations.id"], name=op.f("fk_serials_installation_id")),
        sa.ForeignKeyConstraint(["issued_by_id"], ["subjects.id"], name=op.f("fk_serials_issued_by_id")),
        sa.ForeignKeyConstraint(["replaced_by_id"], ["serials.id"], name=op.f("fk_serials_replaced_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serials")),
        sa.UniqueConstraint("number", name=op.f("uq_serials_number")),
    )
    op.create_index(op.f("ix_serials_installation_id"), "serials", ["installation_id"])
    op.create_index("uq_serials_in_use", "serials", ["installation_id"], unique=True,
                    sqlite_where=sa.text(IN_USE), postgresql_where=sa.text(IN_USE))  # fmt: skip


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
