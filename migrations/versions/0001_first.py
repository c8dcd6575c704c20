"""The first tables, and the trigger that keeps events append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def keep_events(dialect: str) -> None:
    """Events are only ever added (C8). A batch on SQLite drops its triggers: such a migration calls this again."""
    if dialect == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()"
    )


def upgrade() -> None:
    op.create_table(
        "calendar_overrides",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_overrides")),
    )
    op.create_table(
        "counters",
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_counters")),
    )
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("brand", "name", name=op.f("uq_products_brand_name")),
    )
    op.create_table(
        "subjects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("origin_id", sa.Integer(), nullable=True),
        sa.Column("concerned_id", sa.Integer(), nullable=True),
        sa.Column("edition_id", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_ref", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["concerned_id"], ["subjects.id"], name=op.f("fk_subjects_concerned_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["subjects.id"], name=op.f("fk_subjects_customer_id")),
        sa.ForeignKeyConstraint(["edition_id"], ["subjects.id"], name=op.f("fk_subjects_edition_id")),
        sa.ForeignKeyConstraint(["origin_id"], ["subjects.id"], name=op.f("fk_subjects_origin_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["subjects.id"], name=op.f("fk_subjects_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("kind", "external_ref", name=op.f("uq_subjects_kind_external_ref")),
        sa.UniqueConstraint("number", name=op.f("uq_subjects_number")),
    )
    with op.batch_alter_table("subjects", schema=None) as batch_op:
        batch_op.create_index("ix_subjects_customer_id", ["customer_id", "id"], unique=False)
        batch_op.create_index("ix_subjects_kind_category", ["kind", "category", "id"], unique=False)
        batch_op.create_index("ix_subjects_kind_customer", ["kind", "customer_id", "id"], unique=False)
        batch_op.create_index("ix_subjects_kind_id", ["kind", "id"], unique=False)
        batch_op.create_index("ix_subjects_kind_opened", ["kind", "opened_at", "id"], unique=False)
        batch_op.create_index("ix_subjects_kind_owner", ["kind", "owner_id", "id"], unique=False)
        batch_op.create_index("ix_subjects_kind_owner_state", ["kind", "owner_id", "state", "id"], unique=False)
        batch_op.create_index("ix_subjects_kind_state", ["kind", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_subjects_origin_id"), ["origin_id"], unique=False)

    op.create_table(
        "submissions",
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_submissions")),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["subjects.id"], name=op.f("fk_acknowledgements_edition_id")),
        sa.ForeignKeyConstraint(["user_id"], ["subjects.id"], name=op.f("fk_acknowledgements_user_id")),
        sa.PrimaryKeyConstraint("edition_id", "user_id", name=op.f("pk_acknowledgements")),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("fax", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("invoice_title", sa.String(), nullable=False),
        sa.Column("tax_number", sa.String(), nullable=False),
        sa.Column("bank", sa.String(), nullable=False),
        sa.Column("bank_account", sa.String(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_customers_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("code", name=op.f("uq_customers_code")),
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_full_name"), ["full_name"], unique=False)
        batch_op.create_index(batch_op.f("ix_customers_region"), ["region"], unique=False)

    op.create_table(
        "editions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holds_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_editions_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
        sa.UniqueConstraint("holds_from", name=op.f("uq_editions_holds_from")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["subjects.id"], name=op.f("fk_events_actor_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_events_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_at", ["at"], unique=False)
        batch_op.create_index("ix_events_subject_id", ["subject_id", "at"], unique=False)

    op.create_table(
        "files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("size > 0", name=op.f("ck_files_size")),
        sa.ForeignKeyConstraint(["owner_id"], ["subjects.id"], name=op.f("fk_files_owner_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_files_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("key", name=op.f("uq_files_key")),
    )
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_files_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_files_sha256"), ["sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_files_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "import_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(finished_at IS NOT NULL) = (position = total)", name=op.f("ck_import_runs_finished")),
        sa.CheckConstraint("position BETWEEN 0 AND total", name=op.f("ck_import_runs_position")),
        sa.ForeignKeyConstraint(["owner_id"], ["subjects.id"], name=op.f("fk_import_runs_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_import_runs_key")),
    )
    with op.batch_alter_table("import_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_runs_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "installations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("product_version", sa.String(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=True),
        sa.Column("modules", sa.String(), nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("use_seen_on", sa.Date(), nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.CheckConstraint("users > 0", name=op.f("ck_installations_users")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_installations_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_installations_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installations")),
    )
    with op.batch_alter_table("installations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_installations_product_id"), ["product_id"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_users_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("login", name=op.f("uq_users_login")),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("mobile", sa.String(), nullable=False),
        sa.Column("qq", sa.String(), nullable=False),
        sa.Column("wechat", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("software_responsible", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_contacts_named")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_contacts_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index("ix_contacts_customer_id", ["customer_id", "id"], unique=False)
        batch_op.create_index(
            "ix_contacts_responsible",
            ["customer_id"],
            unique=False,
            sqlite_where=sa.text("software_responsible AND active"),
            postgresql_where=sa.text("software_responsible AND active"),
        )

    op.create_table(
        "duties",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("fine_clause", sa.String(), nullable=True),
        sa.Column("fine_fen", sa.Integer(), nullable=True),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("pool", sa.String(), nullable=True),
        sa.Column("show_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ruled_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=False),
        sa.Column("kept_by_id", sa.Integer(), nullable=True),
        sa.Column("dropped_by_id", sa.Integer(), nullable=True),
        sa.Column("breached_by_id", sa.Integer(), nullable=True),
        sa.Column("breached_owner_id", sa.Integer(), nullable=True),
        sa.Column("liable_id", sa.Integer(), nullable=True),
        sa.Column("held_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("(fine_clause IS NULL) = (fine_fen IS NULL)", name=op.f("ck_duties_fine")),
        sa.CheckConstraint("kept_by_id IS NULL OR dropped_by_id IS NULL", name=op.f("ck_duties_one_end")),
        sa.CheckConstraint("owner_id IS NOT NULL OR pool IS NOT NULL", name=op.f("ck_duties_owned")),
        sa.CheckConstraint("show_from <= due_at AND warn_at <= due_at", name=op.f("ck_duties_order")),
        sa.ForeignKeyConstraint(["breached_by_id"], ["events.id"], name=op.f("fk_duties_breached_by_id")),
        sa.ForeignKeyConstraint(["breached_owner_id"], ["subjects.id"], name=op.f("fk_duties_breached_owner_id")),
        sa.ForeignKeyConstraint(["dropped_by_id"], ["events.id"], name=op.f("fk_duties_dropped_by_id")),
        sa.ForeignKeyConstraint(["edition_id"], ["subjects.id"], name=op.f("fk_duties_edition_id")),
        sa.ForeignKeyConstraint(["held_by_id"], ["events.id"], name=op.f("fk_duties_held_by_id")),
        sa.ForeignKeyConstraint(["kept_by_id"], ["events.id"], name=op.f("fk_duties_kept_by_id")),
        sa.ForeignKeyConstraint(["liable_id"], ["subjects.id"], name=op.f("fk_duties_liable_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["events.id"], name=op.f("fk_duties_opened_by_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["subjects.id"], name=op.f("fk_duties_owner_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_duties_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duties")),
        sa.UniqueConstraint("rule", "opened_by_id", "slot", name=op.f("uq_duties_rule_opened_by_id_slot")),
    )
    with op.batch_alter_table("duties", schema=None) as batch_op:
        batch_op.create_index(
            "ix_duties_breached",
            ["breached_by_id"],
            unique=False,
            sqlite_where=sa.text("breached_by_id IS NOT NULL"),
            postgresql_where=sa.text("breached_by_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_duties_breached_owner",
            ["breached_owner_id", "breached_by_id"],
            unique=False,
            sqlite_where=sa.text("breached_by_id IS NOT NULL"),
            postgresql_where=sa.text("breached_by_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_duties_kept",
            ["kept_by_id"],
            unique=False,
            sqlite_where=sa.text("kept_by_id IS NOT NULL"),
            postgresql_where=sa.text("kept_by_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_duties_open_owner",
            ["owner_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("kept_by_id IS NULL AND dropped_by_id IS NULL"),
            postgresql_where=sa.text("kept_by_id IS NULL AND dropped_by_id IS NULL"),
        )
        batch_op.create_index(
            "ix_duties_open_pool",
            ["pool", "due_at"],
            unique=False,
            sqlite_where=sa.text("kept_by_id IS NULL AND dropped_by_id IS NULL"),
            postgresql_where=sa.text("kept_by_id IS NULL AND dropped_by_id IS NULL"),
        )
        batch_op.create_index(
            "ix_duties_pending",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text(
                "kept_by_id IS NULL AND dropped_by_id IS NULL AND breached_by_id IS NULL AND held_by_id IS NULL"
            ),
            postgresql_where=sa.text(
                "kept_by_id IS NULL AND dropped_by_id IS NULL AND breached_by_id IS NULL AND held_by_id IS NULL"
            ),
        )
        batch_op.create_index("ix_duties_subject_id", ["subject_id", "due_at"], unique=False)
        batch_op.create_index(
            "uq_duties_open",
            ["subject_id", "rule", "slot"],
            unique=True,
            sqlite_where=sa.text("kept_by_id IS NULL AND dropped_by_id IS NULL"),
            postgresql_where=sa.text("kept_by_id IS NULL AND dropped_by_id IS NULL"),
        )

    op.create_table(
        "logins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_logins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_logins_token_hash")),
    )
    with op.batch_alter_table("logins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_logins_user_id"), ["user_id"], unique=False)

    op.create_table(
        "service_periods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("installation_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_service_periods_order")),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installations.id"], name=op.f("fk_service_periods_installation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_periods")),
    )
    with op.batch_alter_table("service_periods", schema=None) as batch_op:
        batch_op.create_index("ix_service_periods_installation_id", ["installation_id", "ends_on"], unique=False)

    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_roles_user_id")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_roles")),
    )
    op.create_table(
        "extensions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("duty_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("wanted", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("granted", sa.Boolean(), nullable=True),
        sa.Column("new_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remark", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(granted IS NULL) = (decided_at IS NULL) AND (granted IS NULL) = (decided_by_id IS NULL)",
            name=op.f("ck_extensions_decided"),
        ),
        sa.CheckConstraint(
            "(new_due_at IS NOT NULL) = (granted IS NOT NULL AND granted)", name=op.f("ck_extensions_new_date")
        ),
        sa.CheckConstraint("decided_by_id <> asked_by_id", name=op.f("ck_extensions_not_oneself")),
        sa.ForeignKeyConstraint(["asked_by_id"], ["subjects.id"], name=op.f("fk_extensions_asked_by_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["subjects.id"], name=op.f("fk_extensions_decided_by_id")),
        sa.ForeignKeyConstraint(["duty_id"], ["duties.id"], name=op.f("fk_extensions_duty_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extensions")),
    )
    with op.batch_alter_table("extensions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_extensions_duty_id"), ["duty_id"], unique=False)
        batch_op.create_index(
            "uq_extensions_undecided",
            ["duty_id"],
            unique=True,
            sqlite_where=sa.text("granted IS NULL"),
            postgresql_where=sa.text("granted IS NULL"),
        )

    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("department", sa.String(), nullable=False),
        sa.Column("installation_id", sa.Integer(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("service_qq", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("uncovered_reason", sa.String(), nullable=False),
        sa.Column("wait_until", sa.Date(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answered_at >= asked_at", name=op.f("ck_tickets_answered")),
        sa.CheckConstraint("completed_at IS NULL OR cancelled_at IS NULL", name=op.f("ck_tickets_one_end")),
        sa.CheckConstraint("completed_at IS NULL OR ended_at IS NOT NULL", name=op.f("ck_tickets_completed")),
        sa.CheckConstraint("ended_at IS NULL OR started_at IS NOT NULL", name=op.f("ck_tickets_ended")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_tickets_contact_id")),
        sa.ForeignKeyConstraint(["id"], ["subjects.id"], name=op.f("fk_tickets_id")),
        sa.ForeignKeyConstraint(["installation_id"], ["subjects.id"], name=op.f("fk_tickets_installation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    keep_events(op.get_bind().dialect.name)


def downgrade() -> None:
    raise NotImplementedError("back only by restoring a backup")
