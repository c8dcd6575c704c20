"""The week before the Friday meeting (4.director.7): what came in, what was missed, what customers doubt, and whose it is."""

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from crm import lists
from crm.callbacks.models import Callback
from crm.callbacks.models import State as CallState
from crm.db import db
from crm.duties import queries as duties
from crm.duties.models import Duty, Subject
from crm.labels import N_
from crm.letters.sheet import moment
from crm.reports.layout import As, Column, Layout, Table
from crm.reports.periods import Period
from crm.reports.reader import counted
from crm.reports.served import RECORDS, Served, served
from crm.tickets.marks import Standing

MOST = 200  # of what is listed
LAYOUT = Layout(
    (
        Column("records", N_("Records")), Column("complete", N_("Complete")), Column("late", N_("Complete, but late")),
        Column("escalated", N_("Handed up")), Column("visits", N_("Visits and trips")),
        Column("undone", N_("Ended and not complete now")), Column("overdue", N_("Overdue now")),
        Column("missed", N_("Missed in the week")), Column("called", N_("Callbacks")), Column("doubts", N_("With a doubt")),
        Column("bad", N_("Callbacks with a bad mark")), Column("complaints", N_("Complaints")),
        Column("opinions", N_("Opinions not yet answered")),
        Column("promises", N_("Changes past their promised day")),
    ),
    (
        Table("people", N_("By specialist"), (
            Column("name", N_("Specialist"), As.WORDS, empty=N_("Nobody")), Column("records", N_("Records")),
            Column("late", N_("Complete, but late")), Column("lacking", N_("Ended, not complete")),
            Column("visits", N_("Visits and trips")), Column("missed", N_("Missed")), Column("bad", N_("Bad marks")),
        ), ("records", "missed")),
        Table("missed", N_("Missed in the week"), (
            Column("rule", N_("Duty"), As.RULE), Column("name", N_("Who owed it"), As.WORDS, empty=N_("nobody had claimed it")),
            Column("number", N_("Number"), As.WORDS), Column("title", N_("On"), As.WORDS),
            Column("due", N_("Fell due"), As.WORDS),
        ), lists=True),
        Table("doubts", N_("Doubts of the week"), (
            Column("number", N_("Number"), As.WORDS), Column("customer", N_("Customer"), As.WORDS),
            Column("served", N_("Served by"), As.WORDS), Column("doubt", N_("The doubt, or the old problem"), As.WORDS),
            Column("state", N_("State"), As.LABEL, CallState),
        ), lists=True),
    ),
)  # fmt: skip


def figures(period: Period, person: int | None = None) -> dict[str, Any]:
    found = served(period)
    said = found.numbers()
    known = {column.key for column in LAYOUT.numbers} & said["number"].keys()
    at = {key: said["at"][key] for key in known} | _addresses(period)
    rest = {key: address for key, address in at.items() if key not in known}
    counts = counted(rest.values())
    return {
        "number": {key: said["number"][key] for key in known} | {key: counts[address] for key, address in rest.items()},
        "at": at, "people": _people(found, period), "missed": _missed(period), "doubts": _doubts(period),
    }  # fmt: skip


def _addresses(period: Period) -> dict[str, str]:
    spoken, days = period.named("spoken", "spoken_until"), period.named()
    return {
        "undone": lists.at(RECORDS, standing=Standing.LACKING), "overdue": lists.at(RECORDS, overdue=True),
        "missed": lists.at("/duties", **days),
        "called": lists.at("/callbacks/all", **period.named("concluded", "concluded_until")),
        "doubts": lists.at("/callbacks/all", bad=True, **spoken), "bad": lists.at("/callbacks/all", marked=lists.BAD, **spoken),
        "complaints": lists.at("/opinions", kind="complaint", **days), "opinions": lists.at("/opinions", state="going"),
        "promises": lists.at("/changes", until=period.until),
    }  # fmt: skip


def _people(found: Served, period: Period) -> list[dict[str, Any]]:
    """Whoever served in the week, or missed anything in it."""
    lines = {line["person"]: line for line in found.by_person()}
    missed = _missed_by(period)
    names = duties.names(missed)
    for id in missed.keys() - lines.keys():
        lines[id] = {"person": id, "name": names[id].title if id in names else "", "records": 0, "late": 0, "lacking": 0,
                     "visits": 0, "at": {}}  # fmt: skip
    spoken = period.named("spoken", "spoken_until")
    asked = {id: lists.at("/callbacks/all", served=id or lists.NOBODY, marked=lists.BAD, **spoken) for id in lines}
    bad = counted(asked.values())
    for id, line in lines.items():
        line |= {"missed": missed[id], "bad": bad[asked[id]]}
        line["at"] |= {"missed": lists.at("/duties", person=id or lists.NOBODY, **period.named()), "bad": asked[id]}
    return sorted(lines.values(), key=lambda line: (not line["name"], line["name"]))


def _missed_by(period: Period) -> Counter[int | None]:
    late = duties.fell_through(), *duties.fell_due(period.since, period.until)
    rows = select(Duty.breached_owner_id, func.count()).where(*late).group_by(Duty.breached_owner_id)
    return Counter(dict(db.session.execute(rows).all()))  # type: ignore[arg-type]


def _missed(period: Period) -> list[dict[str, Any]]:
    """The latest first."""
    late = duties.fell_through(), *duties.fell_due(period.since, period.until)
    rows = select(Duty.rule, Duty.breached_owner_id, Duty.due_at, Subject.id, Subject.number, Subject.title, Subject.kind)
    rows = rows.join(Subject, Subject.id == Duty.subject_id).where(*late).order_by(Duty.breached_by_id.desc()).limit(MOST)
    found = db.session.execute(rows).all()
    names = duties.names([*(row.breached_owner_id for row in found), *(row.id for row in found)])
    return [
        {"rule": row.rule, "name": names[row.breached_owner_id].title if row.breached_owner_id in names else "",
         "number": row.number, "title": row.title, "due": moment(row.due_at),
         "at": {"number": names[row.id].path} if row.kind != "user" else {}}
        for row in found
    ]  # fmt: skip


def _doubts(period: Period) -> list[dict[str, Any]]:
    own = Callback.__table__.c
    rows = select(Subject.number, Subject.customer_id, Subject.concerned_id, Subject.state, own.doubt)
    rows = rows.join(Callback.__table__, own.id == Subject.id).where(Subject.kind == "callback", own.doubt != "")
    found = db.session.execute(rows.where(*period.within(own.reached_at)).order_by(Subject.id.desc()).limit(MOST)).all()
    names = duties.names(id for row in found for id in (row.customer_id, row.concerned_id))
    return [
        {"number": row.number, "customer": names[row.customer_id].title, "doubt": row.doubt, "state": row.state,
         "served": names[row.concerned_id].title if row.concerned_id in names else "",
         "at": {"number": f"/callbacks/{row.number}"}}
        for row in found
    ]  # fmt: skip
