"""A department as the first tables held it: rows for every table of revision 0001, as plain values."""

from datetime import UTC, date, datetime, timedelta

from crm.duties import reading

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def subject(id: int, kind: str, number: str, state: str, **more) -> dict:
    plain = {"title": f"{kind} {id}", "category": "", "priority": "normal", "customer_id": None, "owner_id": None,
             "origin_id": None, "concerned_id": None, "edition_id": 1, "opened_at": START, "external_ref": None,
             "version": 1}  # fmt: skip
    return {"id": id, "kind": kind, "number": number, "state": state, **plain, **more}


def happened(id: int, kind: str, subject_id: int, hours: float, **facts) -> dict:
    return {"id": id, "kind": kind, "subject_id": subject_id, "at": at(hours), "recorded_at": at(hours), "actor_id": 2,
            "address": "", "via": "page", "facts": facts}  # fmt: skip


def duty(id: int, rule: str, subject_id: int, opened_by: int, **ends) -> dict:
    row = {"slot": "", "edition_id": 1, "clause": "5.1.3", "fine_clause": None, "fine_fen": None, "owner_id": 2, "pool": None,
           "show_from": at(1), "warn_at": at(20), "due_at": at(30), "ruled_due_at": at(30), "kept_by_id": None,
           "dropped_by_id": None, "breached_by_id": None, "breached_owner_id": None, "liable_id": None, "held_by_id": None}  # fmt: skip
    return {"id": id, "rule": rule, "subject_id": subject_id, "opened_by_id": opened_by, **row, **ends}


def record(id: int, **stamps) -> dict:
    plain = dict.fromkeys(("contact_id", "installation_id", "asked_at", "answered_at", "wait_until", "started_at",
                           "ended_at", "completed_at", "cancelled_at"))  # fmt: skip
    words = {"department": "财务部", "channel": "phone", "service_qq": "", "description": "点保存后报错", "fields": {"steps": "打开"},
             "uncovered_reason": ""}  # fmt: skip
    return {"id": id, **plain, **words, "contact_id": 1, "installation_id": 5, **stamps}


OURS = {"customer_id": 4, "owner_id": 2, "category": "inquiry"}
ROWS: dict[str, list[dict]] = {
    "calendar_overrides": [{"day": date(2027, 1, 1), "working": False, "name": "元旦", "source": "notice"}],
    "counters": [{"prefix": prefix, "last": last} for prefix, last in (("R", 1), ("U", 2), ("K", 1), ("I", 1), ("T2611-", 4))],
    "products": [{"id": 1, "brand": "金洋", "name": "财务通", "active": True}],
    "subjects": [
        subject(1, "edition", "R0001", "confirmed"), subject(2, "user", "U0001", "active", title="张伟"),
        subject(3, "user", "U0002", "active", title="刘强"),
        subject(4, "customer", "K0001", "active", title="宏远机械", owner_id=2, category="A", external_ref="000007"),
        subject(5, "installation", "I0001", "normal", customer_id=4, owner_id=2),
        subject(6, "ticket", "T2611-0001", "complete", **OURS), subject(7, "ticket", "T2611-0002", "working", **OURS),
        subject(8, "ticket", "T2611-0003", "waiting", **OURS), subject(9, "ticket", "T2611-0004", "cancelled", **OURS),
    ],
    "submissions": [{"request_id": "a" * 32, "user_id": 2, "path": "/tickets/new", "answer": "/tickets/T2611-0001", "at": at(1)}],
    "acknowledgements": [{"edition_id": 1, "user_id": 2, "at": at(1)}],
    "customers": [{"id": 4, "full_name": "宏远机械制造有限公司", "code": "600123", "region": "青岛", **dict.fromkeys(
        ("address", "phone", "fax", "email", "invoice_title", "tax_number", "bank", "bank_account", "remark"), "…")}],
    "editions": [{"id": 1, "holds_from": datetime(1990, 1, 1, tzinfo=UTC), "body": reading.shipped()}],
    "events": [
        happened(1, "rulebook.issued", 1, 0), happened(2, "user.added", 2, 0), happened(3, "user.added", 3, 0),
        happened(4, "customer.added", 4, 0), happened(5, "installation.added", 5, 0),
        *(happened(id, "ticket.opened", id, 1, coverage="served") for id in (6, 7, 8, 9)),
        happened(10, "ticket.completed", 6, 3), happened(11, "duty.breached", 7, 30, duty=2),
        happened(12, "duty.more_time_asked", 8, 5, duty=3), happened(13, "ticket.cancelled", 9, 2, reason="重复"),
        happened(14, "ticket.noted", 7, 31, words="老客户的话 ☎ 'quoted' \"twice\""),
    ],
    "files": [{"id": 1, "key": "b" * 32, "subject_id": None, "owner_id": 2, "purpose": "", "name": "申请.pdf",
               "kind": "application/pdf", "size": 3, "added_at": at(1), "removed_at": None,
               "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}],  # of b"abc"
    "import_runs": [{"id": 1, "key": "c" * 32, "owner_id": 2, "name": "客户.csv", "mapping": {"编号": "code"}, "total": 2,
                     "position": 2, "created": 1, "updated": 0, "unchanged": 0, "refused": [[2, "No name.", {}]],
                     "started_at": at(0), "finished_at": at(1)}],
    "installations": [{"id": 5, "product_id": 1, "edition": "标准版", "product_version": "8.1", "users": 5, "modules": "总账",
                       "installed_on": date(2020, 2, 29), "use_seen_on": None, "remark": ""}],
    "users": [{"id": id, "login": login, "password_hash": "$argon2id$", "must_change": False, "phone": "", "email": "",
               "language": None} for id, login in ((2, "specialist"), (3, "manager"))],
    "contacts": [{"id": 1, "customer_id": 4, "name": "王会计", "department": "财务部", "position": "", "phone": "", "qq": "",
                  "mobile": "13800001234", "wechat": "", "email": "", "software_responsible": True, "active": True, "version": 1}],
    "duties": [
        duty(1, "ticket.complete", 6, 6, kept_by_id=10), duty(2, "ticket.complete", 7, 7, breached_by_id=11, breached_owner_id=2),
        duty(3, "ticket.complete", 8, 8, held_by_id=12), duty(4, "ticket.complete", 9, 9, dropped_by_id=13),
    ],
    "logins": [{"id": 1, "user_id": 2, "token_hash": "d" * 64, "started_at": at(0), "ended_at": None, "address": "", "agent": ""}],
    "service_periods": [{"id": 1, "installation_id": 5, "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31), "remark": ""}],
    "user_roles": [{"user_id": 2, "role": "specialist"}, {"user_id": 3, "role": "manager"}],
    "extensions": [{"id": 1, "duty_id": 3, "asked_by_id": 2, "asked_at": at(5), "reason": "客户出差", "wanted": at(60),
                    "decided_by_id": None, "decided_at": None, "granted": None, "new_due_at": None, "remark": ""}],
    "tickets": [
        record(6, started_at=at(1), ended_at=at(2), completed_at=at(3)), record(7, started_at=at(1)),
        record(8, started_at=at(1), wait_until=date(2026, 12, 1)), record(9, cancelled_at=at(2)),
    ],
}  # fmt: skip
