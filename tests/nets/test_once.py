"""What may happen once, fifty at a time: one winner, one event. Every verb of every table of moves is among them."""

import uuid
from collections import Counter
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import func

from crm import clock
from crm.changes import following
from crm.contracts import paying
from crm.customers.importing import KIND
from crm.customers.models import Customer
from crm.db import db, unit_of_work
from crm.duties import workflow as duties
from crm.duties.models import Acknowledgement, Duty, Edition, Event
from crm.duties.record import record
from crm.errors import Refused
from crm.files import workflow as files
from crm.sheets import runs
from crm.staff import factor, links
from crm.staff.models import User
from crm.tickets import workflow
from crm.tickets.models import State, Ticket
from crm.visits import feedback
from tests import make
from tests.browsing import Browser, together
from tests.nets import rows, values
from tests.nets.state import status
from tests.nets.ways import BESIDES, KINDS, OWN, PUT, end_of, other, signing, taker
from tests.shares import ALL, DATABASES

MANY = 50
REFUSED = (409, 422)  # too late; what was chosen is by then no longer there to choose
UNSEEN = {("absences", "decline")}  # it is no longer theirs to see
# SQLite lets one write at a time whatever the verb: there one of each kind will do, but in `make nets`
CASES = [(base, kind, verb) for base in DATABASES for kind in KINDS for verb in kind.MOVES
         if ALL or base == "postgresql" or verb == next(iter(kind.MOVES))]  # fmt: skip
CALL = {"channel": "phone", "asked_at": "2026-11-23T08:50", "title": "怎么结账", "category": "inquiry", "priority": "normal",
        "contact_name": "赵会计", "department": "财务部"}  # fmt: skip


def fifty(app, page: Browser, path: str, fields: dict, *, same: bool = False) -> list:
    """One log-in's form, sent fifty times at once: each with an id of its own, or all with the same."""
    name, once = app.config["SESSION_COOKIE_NAME"], uuid.uuid4().hex
    cookie = f"{name}={page.client.get_cookie(name).value}"

    def send(_i: int):
        sent = fields | {"request_id": once if same else uuid.uuid4().hex}
        return app.test_client(use_cookies=False).post(path, data=sent, headers={"Cookie": cookie})

    return together(MANY, send)


def events(kind: str | None = None) -> int:
    found = db.session.query(Event)
    return (found.filter_by(kind=kind) if kind else found).count()


def calls(app, act) -> Counter:
    """A function fifty times at once, each in a unit of work of its own: what came of it."""

    def call(i: int):
        with app.app_context():
            try:
                with unit_of_work():
                    return act(i)
            except Refused as refusal:
                return refusal.status
            finally:
                db.session.remove()

    done = Counter(together(MANY, call))
    db.session.rollback()
    return done


OWED_IN = {("papers", "archive"): "offered", ("penalties", "weigh"): "upheld", ("changes", "tell"): "approved", ("changes", "postpone"): "approved"}


def state_for(kind, verb: str) -> str:
    """The first state the verb begins in; a settled duty needs one that is open, and the archive a paper that is handed
    to it."""
    if (kind.noun, verb) in OWED_IN:
        return OWED_IN[kind.noun, verb]
    order = [str(state) for state in kind.STATES]
    return min(map(str, kind.MOVES[verb].froms), key=order.index)


def _no_longer_owed(row) -> None:
    call = db.session.query(Duty).filter_by(subject_id=row.origin_id, rule=row.category).one()
    call.dropped_by_id = record("visit.noted", call.subject).id


def _refused(row) -> None:
    feedback.refuse(row, by=make.who("specialist"), name="王主任", position="总监", words="要等上级同意")


def _left(row) -> None:
    db.session.get_one(User, row.owner_id).state = "inactive"


def _demanded(row) -> None:
    paying.demand(row, by=make.who("specialist"))


def _entered(row) -> None:
    record("contract.edited", row, unagreed=True)


def _linked(row) -> None:
    following.make(row, by=make.who("specialist"))


def _of_services(row) -> None:
    row.category = "services"
    db.session.flush()


def _of_the_manager(row) -> None:
    row.entered_by_id = make.who("manager").id  # follow-up does not read it
    db.session.flush()


READY = {("reports", "verify"): _of_services, ("changes", "unlink"): _linked, ("contracts", "check"): _entered, ("contracts", "withhold"): _demanded, ("contracts", "wait"): _demanded,
         ("penalties", "withdraw"): _of_the_manager, ("callbacks", "drop"): _no_longer_owed, ("visits", "see"): _refused, ("papers", "fetch"): _left}  # what a verb needs besides


@pytest.mark.parametrize(("database", "kind", "verb"), CASES, ids=lambda v: getattr(v, "__name__", v))
def test_of_fifty_who_do_the_same_with_the_same_page_one_does(served, app, kind, verb):
    with unit_of_work():
        row = PUT[kind](state := state_for(kind, verb))
        READY.get((kind.noun, verb), lambda row: None)(row)
    move = kind.MOVES[verb]
    who = next(login for login in ("manager", "director", "admin", "specialist", "archivist", "followup", "developer")
               if move.may(make.who(login), row) and login in BESIDES.get((row.kind, verb, row.state), (login,))
               and ((row.kind, verb, row.state) not in OWN or make.who(login).id == row.owner_id))
    with unit_of_work():
        scan = {"files": rows._draft(make.who(who), rows.SCANNED[row.kind][1])} if verb in rows.SCANS and row.kind in rows.SCANNED else {}
    page, path, version = Browser(served, who), f"{row.path}/{move.noun}", row.version
    fields = values.anything(path) | {"csrf_token": page.token("/account"), "version": str(version), "f_told": "",
                                      "to": taker(row, verb), "representative": str(make.who(who).id), "of": other(row), **signing(row), **scan}  # fmt: skip
    before = db.session.query(func.max(Event.id)).scalar()
    answers = Counter(map(status, fifty(served, page, path, fields)))
    late = (*REFUSED, 404) if (kind.noun, verb) in UNSEEN else REFUSED
    assert answers[303] == 1 and answers.keys() <= {303, *late}, answers
    db.session.rollback()
    db.session.refresh(row)
    assert row.state == end_of(row.kind, verb, move, state)
    alone = Counter(
        event.kind for event in db.session.query(Event).filter(Event.id > before, Event.subject_id == row.id)
    )
    assert alone and max(alone.values()) == 1, alone


def test_of_fifty_acknowledgements_one_counts(served, app):
    page, path = Browser(served, "specialist"), db.session.query(Edition).one().path + "/acknowledgement"
    answers = fifty(served, page, path, {"csrf_token": page.token("/account")})
    assert Counter(answer.status_code for answer in answers) == {303: MANY}, "saying it again changes nothing"
    db.session.rollback()
    assert db.session.query(Acknowledgement).count() == 1 and events("rulebook.acknowledged") == 1


def test_of_fifty_decisions_on_more_time_one_stands(served, app):
    with unit_of_work():
        asked = rows.extension("another's", make.who("manager")).values["extension_id"]

    def decide(i: int) -> str:
        request = db.session.get(duties.Extension, asked)
        until = request.wanted + timedelta(hours=i)
        duties.decide_more_time(request, by=make.who("manager"), granted=bool(i % 2), until=until)
        return "decided"

    done = calls(served, decide)
    assert done["decided"] == 1 and done.keys() <= {"decided", *REFUSED}, done
    assert events("duty.more_time_granted") + events("duty.more_time_refused") == 1


def test_of_fifty_requests_for_more_time_one_is_asked(served, app):
    with unit_of_work():
        make.ticket()
    owed = db.session.query(Duty).filter(Duty.rule.startswith("ticket.")).order_by(Duty.id).first()
    owed_id, wanted = owed.id, owed.due_at + timedelta(days=2)

    def ask(_i: int) -> str:
        duties.ask_more_time(db.session.get(Duty, owed_id), by=make.who("specialist"), reason="忙", wanted=wanted)
        return "asked"

    assert calls(served, ask) == {"asked": 1, 409: MANY - 1}
    assert events("duty.more_time_asked") == 1


def test_of_fifty_uses_of_a_one_time_link_one_sets_the_password(served, app):
    with unit_of_work():
        token = links.make(make.who("specialist"), by=make.who("admin"))
    done = calls(served, lambda i: links.use(token, f"hash {i}").login)
    assert done == {"specialist": 1, 404: MANY - 1}
    assert events("user.link_used") == 1


def test_of_fifty_who_type_the_same_code_one_comes_in(served, app):
    with unit_of_work():
        secret, me = factor.new_secret(), make.who("specialist")
        user_id = me.id
        spare = factor.set_up(me, secret, pyotp.TOTP(secret).at(int(clock.now().timestamp()) - factor.STEP))
    code = pyotp.TOTP(secret).at(int(clock.now().timestamp()))
    assert calls(served, lambda i: factor.takes(user_id, code)) == {True: 1, False: MANY - 1}
    assert calls(served, lambda i: factor.takes(user_id, spare[0])) == {True: 1, False: MANY - 1}


def test_of_fifty_batches_from_one_place_one_is_brought_in(served, app):
    with unit_of_work():
        owner = make.who("specialist")
        file = files.draft("list.csv", values.TABLE, owner, KIND.purpose)
        db.session.add(file)
        db.session.flush()
        key = runs.start(KIND, file, {"简称": "short_name"}, owner).key

    def go_on(_i: int) -> int:
        owner = make.who("specialist")
        run = runs.find(KIND, key, owner)
        runs.go_on(KIND, run, 0, owner)
        return run.created

    assert calls(served, go_on) == {2: MANY}, "the others find it done"
    assert db.session.query(Customer).count() == 2 and events("customer.imported") + events("customer.added") == 2


def test_of_fifty_openings_with_one_id_one_record_is_made(served, app):
    with unit_of_work():
        unit = make.served_customer()
    page = Browser(served, "specialist")
    fields = CALL | {"customer": unit.number, "csrf_token": page.token("/account")}
    answers = fifty(served, page, "/tickets/new", fields, same=True)
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/tickets/T2611-0001")}
    db.session.rollback()
    assert db.session.query(Ticket).one().state == State.NEW and events("ticket.opened") == 1


@pytest.fixture
def two(app) -> list[str]:
    """Two records of one customer, each of which looks like the other."""
    with unit_of_work():
        unit = make.served_customer()
        return [make.ticket(unit, title=title).number for title in ("先登记的", "又登记的")]


def one_is_cancelled() -> None:
    left, gone = db.session.query(Ticket).order_by(Ticket.duplicate_of_id.is_not(None)).all()
    assert (left.state, left.duplicate_of_id) == (State.NEW, None)
    assert (gone.state, gone.duplicate_of_id) == (State.CANCELLED, left.id)
    assert events("ticket.cancelled") == 1 and events("ticket.duplicate") == 2


def test_of_two_records_that_are_called_duplicates_crosswise_one_is_cancelled(served, two):
    def call(i: int) -> str:
        mine, other = (db.session.query(Ticket).filter_by(number=two[(i + k) % 2]).one() for k in (0, 1))
        workflow.duplicate(mine, by=make.who("specialist"), of=other)
        return "done"

    done = calls(served, call)
    assert done["done"] == 1 and done.keys() <= {"done", *REFUSED}, done
    one_is_cancelled()


def test_crosswise_by_the_page_too_and_none_is_left_waiting_for_the_other(served, two):
    page = Browser(served, "specialist")
    name, token = served.config["SESSION_COOKIE_NAME"], page.token("/account")
    cookie = f"{name}={page.client.get_cookie(name).value}"

    def send(i: int) -> int:
        sent = {"request_id": uuid.uuid4().hex, "csrf_token": token, "version": "1", "of": two[(i + 1) % 2]}
        path, client = f"/tickets/{two[i % 2]}/duplicate", served.test_client(use_cookies=False)
        return client.post(path, data=sent, headers={"Cookie": cookie}).status_code

    answers = Counter(together(20, send))
    db.session.rollback()
    assert answers[303] == 1 and answers.keys() <= {303, *REFUSED}, answers
    one_is_cancelled()
