"""Feedback forms, their signatures, and links to a person's visits."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WAY = "(way = 'screen' AND ink IS NOT NULL) OR (way = 'paper' AND file_key IS NOT NULL)"


def upgrade() -> None:
    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.add_column(sa.Column("open_points", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("opinion", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("handed_in_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_check_constraint(op.f("ck_visits_handed_in"), "handed_in_at >= returned_at")
        batch_op.create_index("ix_visits_ends_at", ["ends_at"])
    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.alter_column("open_points", server_default=None)
        batch_op.alter_column("opinion", server_default=None)
    _signatures()
    op.create_table(
        "feeds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_feeds_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_feeds_token_hash")),
    )
    op.create_index(op.f("ix_feeds_owner_id"), "feeds", ["owner_id"])


def _signatures() -> None:
    op.create_table(
        "signatures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("strokes", sa.JSON(), nullable=True),
        sa.Column("ink", sa.String(), nullable=True),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(WAY, name=op.f("ck_signatures_way")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_signatures_visit_id")),
        sa.ForeignKeyConstraint(["by_id"], ["subjects.id"], name=op.f("fk_signatures_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("ink", name=op.f("uq_signatures_ink")),
    )
    op.create_index(op.f("ix_signatures_visit_id"), "signatures", ["visit_id"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
