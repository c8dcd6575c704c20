"""Letters and the outbox, contracts and their payments, and how firmly a service period stands."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OPEN = "kept_by_id IS NULL AND dropped_by_id IS NULL"


def upgrade() -> None:
    op.create_table(
        "letters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_letters_language")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_letters_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
    )
    op.create_table(
        "letter_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("n > 0", name=op.f("ck_letter_versions_n")),
        sa.ForeignKeyConstraint(["letter_id"], ["letters.id"], name=op.f("fk_letter_versions_letter_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["subjects.id"], name=op.f("fk_letter_versions_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_versions")),
        sa.UniqueConstraint("letter_id", "n", name=op.f("uq_letter_versions_letter_id_n")),
    )
    _messages()
    _contracts()
    with op.batch_alter_table("service_periods") as batch_op:
        batch_op.add_column(sa.Column("standing", sa.String(), nullable=False, server_default="settled"))
        batch_op.add_column(sa.Column("contract_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("service_periods") as batch_op:
        batch_op.alter_column("standing", server_default=None)
        batch_op.create_check_constraint(
            op.f("ck_service_periods_standing"), "standing IN ('settled', 'signed', 'withheld')"
        )
        batch_op.create_foreign_key(op.f("fk_service_periods_contract_id"), "subjects", ["contract_id"], ["id"])
        batch_op.create_index(op.f("ix_service_periods_contract_id"), ["contract_id"])
    op.create_index(
        "ix_duties_open_pool_shown", "duties", ["pool", "show_from", "id"],
        sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN),
    )  # fmt: skip


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("way", sa.String(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("mail_sha256", sa.String(), nullable=True),
        sa.Column("sheet_sha256", sa.String(), nullable=True),
        sa.CheckConstraint("state <> 'sending' OR lease_until IS NOT NULL", name=op.f("ck_messages_lease")),
        sa.CheckConstraint(
            "(state IN ('sent', 'rejected', 'withdrawn')) = (ended_at IS NOT NULL)", name=op.f("ck_messages_ended")
        ),
        sa.CheckConstraint(
            "state NOT IN ('sending', 'sent') OR (way IS NOT NULL AND sheet_sha256 IS NOT NULL)",
            name=op.f("ck_messages_sent_what"),
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_messages_attempts")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_messages_event_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_messages_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_messages_message_id")),
        sa.UniqueConstraint("subject_id", "rule", "slot", name=op.f("uq_messages_subject_id_rule_slot")),
    )
    waiting = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_messages_waiting", "messages", ["state", "next_at", "id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_messages_state", "messages", ["state", "id"])
    op.create_index("ix_messages_ended_at", "messages", ["ended_at", "id"])


def _contracts() -> None:
    texts = ("adjustment", "language", "salesperson", "sent_way", "terms", "invoice_title", "tax_number", "invoice_address",
             "invoice_recipient", "courier_number", "answer", "answer_why", "remark")  # fmt: skip
    days = ("starts_on", "ends_on", "signed_on", "sent_on", "copy_due_on", "returned_on", "payment_due_on", "invoice_posted_on")
    op.create_table(
        "contracts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("paper_number", sa.String(), nullable=True),
        sa.Column("amount_fen", sa.Integer(), nullable=True),
        sa.Column("representative_id", sa.Integer(), nullable=True),
        sa.Column("stamped", sa.Boolean(), nullable=False),
        sa.Column("withheld_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Date(), nullable=True) for name in days),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_contracts_amount")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_contracts_period")),
        sa.CheckConstraint("(starts_on IS NULL) = (ends_on IS NULL)", name=op.f("ck_contracts_whole_period")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_contracts_language")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_contracts_id")),
        sa.ForeignKeyConstraint(["representative_id"], ["subjects.id"], name=op.f("fk_contracts_representative_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("paper_number", name=op.f("uq_contracts_paper_number")),
    )
    op.create_index("ix_contracts_ends_on", "contracts", ["ends_on", "id"])
    op.create_index("ix_contracts_payment_due_on", "contracts", ["payment_due_on", "id"])
    op.create_table(
        "contract_installations",
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("installation_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_contract_installations_contract_id")
        ),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installations.id"], name=op.f("fk_contract_installations_installation_id")
        ),
        sa.PrimaryKeyConstraint("contract_id", "installation_id", name=op.f("pk_contract_installations")),
    )
    op.create_index(
        op.f("ix_contract_installations_installation_id"), "contract_installations", ["installation_id"]
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("fen", sa.Integer(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("noted_by_id", sa.Integer(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fen <> 0", name=op.f("ck_payments_fen")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_payments_contract_id")),
        sa.ForeignKeyConstraint(["noted_by_id"], ["subjects.id"], name=op.f("fk_payments_noted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
    )
    op.create_index(op.f("ix_payments_contract_id"), "payments", ["contract_id"])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring the backup made before")
