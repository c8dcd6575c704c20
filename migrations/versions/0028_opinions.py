"""Customers' opinions."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opinions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("installation_id", sa.Integer(), nullable=True),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("heard", sa.String(), nullable=False),
        sa.Column("findings", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("follows", sa.JSON(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.CheckConstraint("said <> ''", name=op.f("ck_opinions_said")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_opinions_contact_id")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_opinions_id")),
        sa.ForeignKeyConstraint(["installation_id"], ["installations.id"], name=op.f("fk_opinions_installation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinions")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
