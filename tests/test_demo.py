"""The demo department, made on awkward days: it must be believable on each of them."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

import pytest
from flask import current_app
from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from crm import clock, create_app, demo, sweep
from crm.absences.models import Absence
from crm.callbacks.models import Callback
from crm.changes.models import ChangeRequest
from crm.contracts import notices
from crm.contracts import queries as contracts
from crm.contracts.models import Contract
from crm.customers.models import Contact, Customer, CustomerState, Grade
from crm.db import db, unit_of_work
from crm.duties import queries
from crm.duties import workflow as duties
from crm.duties.message import Message
from crm.duties.models import Duty, Event, Subject, open_now
from crm.errors import Refused
from crm.letters import workflow as letters
from crm.migrating import migrate
from crm.opinions.models import Opinion
from crm.plans.models import Plan
from crm.reports import satisfaction, workflow
from crm.reports.models import Kind, Report, Returned
from crm.serials import faults
from crm.serials.coverage import Coverage, verdicts
from crm.serials.models import Serial
from crm.serials.queries import what_lacks
from crm.staff import entrance
from crm.staff import workflow as staff
from crm.staff.entrance import Visitor
from crm.staff.models import User, UserState
from crm.staff.passwords import hashed
from crm.tickets.models import State, Ticket, TicketEvent
from crm.tickets.workflow import gaps
from crm.workdays import calendar
from tests.make import CAST as TEST_CAST
from tests.make import who
from tests.models import settings
from tests.shares import ALL

MOMENTS = {
    "saturday": "2026-11-21T11:00", "national_day": "2026-10-02T15:00", "monday_early": "2026-11-23T08:30",
    "friday_evening": "2026-11-20T20:00", "wednesday": "2026-11-25T14:40", "the_first": "2026-12-01T00:30",
}  # fmt: skip
MOMENTS = dict(islice(MOMENTS.items(), None if ALL else 1))  # all of them in `make nets`
CAST = {login: one for login, one in TEST_CAST.items() if login != "stranger"}


def prepared(folder) -> Iterator:
    """An app on an empty database with the shipped rulebook, its context pushed."""
    app = create_app(settings(f"sqlite:///{folder}/crm.db", folder))
    with app.app_context():
        migrate()
        with unit_of_work():
            duties.issue_shipped()
            letters.issue_shipped()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def empty(tmp_path, frozen) -> Iterator:
    yield from prepared(tmp_path)


def owes(login: str) -> dict[str, list[Duty]]:
    """What is on a person's Today, by rule."""
    found: dict[str, list[Duty]] = {}
    for duty in queries.owed(who(login)):
        found.setdefault(duty.rule, []).append(duty)
    return found


def next_closing():
    """Of the first working day that is not over yet."""
    day = calendar().next(clock.today())
    return calendar().closing(day if calendar().closing(day) > clock.now() else calendar().add_days(day, 1))


def closing_of(at):
    return calendar().closing(clock.local(at).date())


def the_specialist_has_one_record_of_each_sort() -> None:
    mine = owes("specialist")
    [late] = [duty for rule in mine.values() for duty in rule if duty.overdue and duty.subject.kind == "ticket"]
    assert (late.rule, late.fine_fen, late.subject.category) == ("ticket.complete", 5000, "data_cleanup")
    assert [gap.field.key for gap in gaps(late.subject)] == ["tool"]
    assert late.due_at == closing_of(late.subject.ended_at)
    assert calendar().closing(calendar().add_days(clock.local(late.due_at).date(), 1)) <= clock.now()
    after_hours = [duty for duty in mine["ticket.complete"] if closing_of(duty.subject.ended_at) < duty.due_at]
    assert next_closing() in [duty.due_at for duty in after_hours]
    assert (State.WAITING, next_closing()) in [
        (duty.subject.state, duty.due_at) for duty in mine["ticket.waiting_over"]
    ]
    working = [duty for duty in mine["ticket.progress"] if duty.subject.state == State.WORKING]
    tomorrow = calendar().next(clock.today() + timedelta(days=1))
    assert calendar().closing(tomorrow) in [duty.due_at for duty in working]
    new = [duty.subject for duty in mine["ticket.progress"] if duty.subject.state == State.NEW]
    assert ["application"] in [[gap.field.key for gap in gaps(one, upto="work")] for one in new]


def the_other_specialist_is_overdue_once_and_has_asked_for_more_time() -> None:
    mine = [duty for rule in owes("specialist2").values() for duty in rule]
    assert [duty.fine_fen for duty in mine if duty.overdue and duty.subject.kind == "ticket"] == [5000]
    [asked] = [duty for duty in mine if duty.held_by_id]
    assert [request.granted for request in asked.extensions] == [None]
    [decide] = owes("manager")["duty.decide_more_time"]
    assert decide.slot == str(asked.id) and not decide.overdue


def the_manager_has_something_handed_up_a_moment_ago_and_a_service_to_look_at() -> None:
    handed_up = owes("manager")["ticket.settle_escalation"]
    assert calendar().add_hours(clock.now(), 0.7) > min(duty.due_at for duty in handed_up) > clock.now()
    looks = owes("manager")["ticket.exception_seen"]
    assert looks and all(duty.subject.uncovered_reason for duty in looks)
    assert not [duty for rule in owes("manager").values() for duty in rule if duty.overdue]


def who_came_long_ago_has_acknowledged_the_rulebook_and_the_new_ones_owe_it() -> None:
    for login in ("specialist", "specialist2", "followup", "manager", "director", "archivist", "developer"):
        assert "rulebook.acknowledge" not in owes(login)
    [duty] = owes("admin")["rulebook.acknowledge"]
    assert not duty.overdue
    assert "rulebook.confirm" in owes("director") and owes("followup")["ticket.progress"]


def nothing_lies_in_the_future_nor_before_its_subject_was_opened() -> None:
    wrong = or_(Event.at > clock.now(), Event.recorded_at > clock.now(), Event.at < Subject.opened_at)
    assert not db.session.scalars(select(Event.id).join(Subject, Subject.id == Event.subject_id).where(wrong)).all()
    assert not db.session.scalars(select(Ticket.id).where(Ticket.answered_at > Ticket.opened_at, ~Ticket.called_back)).all()


def the_year_is_a_years_work_and_all_that_is_old_is_over() -> None:
    tickets = db.session.scalars(select(Ticket).order_by(Ticket.id)).all()
    assert 350 <= len(tickets) <= 450
    assert min(one.opened_at for one in tickets) < clock.now() - timedelta(days=350)
    assert [one.opened_at for one in tickets] == sorted(one.opened_at for one in tickets)
    for one in tickets:
        opened = clock.local(one.opened_at)
        assert calendar().works(opened.date()) and 9 <= opened.hour < 18
        assert one.channel != "qq" or one.service_qq
    old = clock.now() - timedelta(days=21)
    owed = select(Duty.id).join(Event, Event.id == Duty.opened_by_id).where(open_now(), Event.at < old, Duty.show_from < old)
    assert not db.session.scalars(owed).all()
    ended = db.session.scalars(select(Duty).where(Duty.rule == "ticket.complete")).all()
    assert 0.03 < len([duty for duty in ended if duty.breached_by_id]) / len(ended) < 0.12
    kinds = dict(db.session.execute(select(Event.kind, func.count()).group_by(Event.kind)).all())
    for kind in TicketEvent:
        unused = {TicketEvent.EDITED, TicketEvent.RECATEGORISED, TicketEvent.DETACHED, TicketEvent.DUPLICATE}
        assert kind in unused or kinds.get(kind), kind


def customers_are_of_every_kind_a_list_can_be_narrowed_to() -> None:
    units = db.session.scalars(select(Customer)).all()
    assert len(units) >= 40 and {one.owner_id for one in units} == {who("specialist").id, who("specialist2").id}
    assert {one.grade for one in units} == {*Grade, ""} and {one.state for one in units} == {CustomerState.ACTIVE}
    seen = {verdict.coverage for verdict in verdicts([one.id for one in units]).values()}
    assert seen == {Coverage.IN_SERVICE, Coverage.ENDING, Coverage.EXPIRED, Coverage.WITHHELD, Coverage.NONE}
    lacking = [what for what in what_lacks([one.id for one in units]).values() if what]
    assert 4 <= len(lacking) <= 6 and {one for what in lacking for one in what} == {"person", "product", "use"}
    assert db.session.scalar(select(func.count()).select_from(Contact).where(~Contact.active))


def the_first_sweep_marks_the_two_that_are_overdue_and_nothing_else() -> None:
    sweep.tick()  # one may be marked already: its paper has gone to the archive since
    missed = db.session.scalars(select(Duty).where(open_now(), Duty.breached_by_id.is_not(None))).all()
    assert len([duty for duty in missed if duty.subject.kind == "ticket"]) == 2
    assert {duty.rule for duty in missed if duty.subject.kind != "ticket"} <= {
        "contract.pay", "contract.chase", "contract.demand", "message.mend", "paper.confirm",  # the archive is closed over the holidays
    }  # fmt: skip
    assert sweep.tick()["duties marked as missed"] == 0


def a_year_of_contracts_is_there_in_every_state_people_meet() -> None:
    by_state = dict(db.session.execute(select(Contract.state, func.count()).group_by(Contract.state)).all())
    assert by_state["running"] > 30 and by_state["renewed"] > 20 and by_state["sent"] == by_state["draft"] == 1
    [unpaid] = db.session.scalars(select(Contract).where(Contract.withheld_at.is_not(None))).all()
    assert unpaid.state == "returned" and verdicts([unpaid.customer_id])[unpaid.customer_id].coverage == Coverage.WITHHELD
    director = who("director")
    assert db.session.scalar(select(func.count()).select_from(Serial)) > 60 and 0 < len(faults.listing(director)) < 10
    assert len(contracts.receivables(director)) == 2 and len(contracts.without_renewal(director)) >= 3
    assert {one.rule for one in db.session.scalars(select(Message))} >= {"contract.notice", "contract.demand"}
    for one in db.session.scalars(select(Message).where(Message.way == "paper", Message.state == "queued")):
        assert db.session.scalar(select(Duty.id).where(Duty.rule == "message.post", Duty.slot == str(one.id), open_now()))
    assert notices.forecast(director, clock.today() + timedelta(days=60))
    owing = select(Contract).join(Duty, Duty.subject_id == Contract.id).where(Duty.pool == "program", Duty.breached_by_id.is_not(None))
    assert not db.session.scalars(owing).all(), "the program was never late"


def a_change_request_is_there_at_the_steps_people_meet() -> None:
    states = Counter(db.session.scalars(select(ChangeRequest.state)))
    assert states.keys() >= {"approved", "building", "closed", "draft", "submitted"} and states["closed"] > states.total() / 2
    wanting = select(Ticket.id).where(Ticket.category.in_(["bug", "program_change"]), Ticket.state == "complete")
    assert not db.session.scalars(wanting.where(~Ticket.id.in_(select(ChangeRequest.origin_id).where(ChangeRequest.origin_id.is_not(None))))).all()
    assert max(len(one.promises) for one in db.session.scalars(select(ChangeRequest).options(selectinload(ChangeRequest.promises)))) == 2
    assert not [duty for rule in owes("developer").values() for duty in rule if duty.overdue] and "change.take" in owes("developer")


def an_opinion_is_there_at_the_steps_people_meet() -> None:
    states = Counter(db.session.scalars(select(Opinion.state)))
    assert states == {"answered": 8, "to_answer": 1, "heard": 1, "to_investigate": 1}
    assert [one.follows for one in db.session.scalars(select(Opinion).where(Opinion.confirmed_at.is_not(None)).order_by(Opinion.id))] == [[], ["7.1.first"]]
    assert "opinion.investigate" in owes("manager") and "opinion.answer" in owes("followup")


def a_leave_is_there_at_the_steps_people_meet() -> None:
    states = Counter(db.session.scalars(select(Absence.state)))
    assert states == {"over": 2, "away": 1, "accepted": 1, "asked": 1}
    assert "absence.decide" in owes("manager") and not any(duty.overdue for duty in owes("manager")["absence.decide"])
    assert "absence.return" in owes("archivist")


def customers_gave_marks_over_the_year_and_the_figures_are_those_of_a_recount() -> None:
    manager = who("manager")
    found = satisfaction.figures(satisfaction.Scope.of({}, manager), manager)
    first = clock.moment(found.scope.since)
    rows = db.session.query(Callback).filter(Callback.attitude.is_not(None), Callback.reached_at >= first).all()
    months = Counter(f"{clock.local(row.reached_at):%Y-%m}" for row in rows)
    assert {line.name: line.counts["callbacks"] for line in found.months if line.counts["callbacks"]} == months and len(months) > 8
    assert found.whole["skill"] == round(sum(row.skill for row in rows) / len(rows), 2)
    assert {line.name for line in found.specialists} == {who("specialist").name, who("specialist2").name}


def the_months_reports_were_submitted_and_received_and_one_given_back_before_that() -> None:
    states = Counter(tuple(row) for row in db.session.execute(select(Report.category, Report.state)))
    for kind, last in ((Kind.CALLBACKS, "received"), (Kind.SPECIALIST, "received"), (Kind.SERVICES, "verified"),
                       (Kind.SATISFACTION, "received"), (Kind.COMPANY, "submitted")):  # fmt: skip
        assert states[kind, last] >= (4 if kind == Kind.SPECIALIST else 2), kind
    [back] = db.session.scalars(select(Returned))
    again = db.session.get(Report, back.report_id)
    assert again and again.state == "verified" and again.submitted_at > back.returned_at > back.submitted_at
    for row in db.session.scalars(select(Report).where(Report.category == Kind.SERVICES)):
        opened = Ticket.opened_at >= clock.moment(row.since), Ticket.opened_at < clock.end_of(row.until)
        assert workflow.figures(row)["number"]["records"] == db.session.scalar(select(func.count()).select_from(Ticket).where(*opened))


def what_somebody_sees_is_what_each_kind_answers_and_what_they_read_whole_is_some_of_that() -> None:
    """Each kind asked by itself, against the one condition that most statements carry."""
    for login in CAST:
        user, seen, read = who(login), set[int](), set[int]()
        for kind in Subject.__subclasses__():
            of_kind = select(Subject.id).where(Subject.kind == kind.__mapper__.polymorphic_identity)
            seen |= set(db.session.scalars(of_kind.where(kind.visible(user))))
            read |= set(db.session.scalars(of_kind.where(kind.whole(user))))
        assert seen == set(db.session.scalars(select(Subject.id).where(queries.visible(user)))), login
        assert read == set(db.session.scalars(select(Subject.id).where(queries.whole(user)))) <= seen, login
        assert seen, login


def the_first_sweep_of_the_next_morning_asks_for_what_is_due_and_for_nothing_long_past() -> None:
    """Reports of the month and the week that are over, and no plan of a month before the year."""
    reports, plans = set(db.session.scalars(select(Report.id))), set(db.session.scalars(select(Plan.id)))
    last = clock.moment(clock.today().replace(day=1) - timedelta(days=1))
    sweep.tick(clock.now())
    for row in db.session.scalars(select(Report).where(Report.id.not_in(reports))):
        assert row.until >= (last - timedelta(days=7)).date(), row.title
    assert [row.title for row in db.session.scalars(select(Plan).where(Plan.id.not_in(plans)))] == []
    months = set(db.session.scalars(select(Report.title).where(Report.category == Kind.SERVICES)))
    assert f"{clock.local(last):%Y-%m}" in months, "the month that is over is reported, whenever the department was made"


def each_account_opens_with_the_password_that_is_printed() -> None:
    lines = [line.split() for line in demo.logins()]
    assert [line[0] for line in lines] == list(CAST)
    for login, password, name, *_ in lines:
        assert password == f"{login}-demo-pass" and name == CAST[login][0] == who(login).name
        with current_app.test_request_context():
            assert entrance.log_in(login, password, Visitor())


CHECKS = (
    the_specialist_has_one_record_of_each_sort,
    the_other_specialist_is_overdue_once_and_has_asked_for_more_time,
    the_manager_has_something_handed_up_a_moment_ago_and_a_service_to_look_at,
    who_came_long_ago_has_acknowledged_the_rulebook_and_the_new_ones_owe_it,
    nothing_lies_in_the_future_nor_before_its_subject_was_opened,
    the_year_is_a_years_work_and_all_that_is_old_is_over,
    customers_are_of_every_kind_a_list_can_be_narrowed_to,
    a_year_of_contracts_is_there_in_every_state_people_meet,
    a_change_request_is_there_at_the_steps_people_meet,
    an_opinion_is_there_at_the_steps_people_meet,
    a_leave_is_there_at_the_steps_people_meet,
    customers_gave_marks_over_the_year_and_the_figures_are_those_of_a_recount,
    the_months_reports_were_submitted_and_received_and_one_given_back_before_that,
    what_somebody_sees_is_what_each_kind_answers_and_what_they_read_whole_is_some_of_that,
    the_first_sweep_marks_the_two_that_are_overdue_and_nothing_else,
    the_first_sweep_of_the_next_morning_asks_for_what_is_due_and_for_nothing_long_past,
    each_account_opens_with_the_password_that_is_printed,
)


@pytest.mark.takes_long
@pytest.mark.timeout(600)  # a year of work, by the verbs people use
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_it_is_believable_whenever_it_is_made(moment, tmp_path, subtests):
    with clock.frozen(clock.parse(moment)):
        for _app in prepared(tmp_path):
            with unit_of_work():
                demo.fill(lambda line: None)
            for check in CHECKS:
                with subtests.test(check.__name__):
                    check()
            with pytest.raises(Refused), unit_of_work():
                demo.fill(print)


def test_it_is_refused_where_there_is_a_customer_or_any_account(empty):
    details = {"title": "真客户", "state": CustomerState.ACTIVE, "opened_at": clock.now()}
    for one in (Customer(number="K0001", full_name="真客户", **details), User(number="U0001", login="boss", **details)):
        with pytest.raises(Refused), unit_of_work():
            db.session.add(one)
            db.session.flush()
            demo.fill(print)


def test_no_password_is_printed_where_the_accounts_are_not_the_demos(empty):
    assert len(demo.logins()) == 1 and "demo-pass" not in demo.logins()[0]
    with unit_of_work():
        staff.add_user("manager", "刘强", ["manager"], hashed("a password of their own"))
        admin = staff.add_user("admin", "周敏", ["admin"], hashed("admin-demo-pass"))
        assert [line.split()[0] for line in demo.logins()] == ["admin"]
        admin.state = UserState.INACTIVE
        db.session.flush()
        assert len(demo.logins()) == 1 and "demo-pass" not in demo.logins()[0]
