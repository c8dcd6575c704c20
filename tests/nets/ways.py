"""How each kind comes into each of its states, and what its moves want besides."""

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from crm import clock
from crm.absences import workflow as absences
from crm.absences.models import Absence
from crm.callbacks import workflow as calls
from crm.callbacks.models import Callback
from crm.callbacks.models import State as CallState
from crm.changes import workflow as changes
from crm.changes.models import ChangeRequest
from crm.contracts import paying
from crm.contracts import workflow as contracts
from crm.contracts.models import Contract
from crm.db import db
from crm.duties import reading
from crm.duties.events import EditionState
from crm.duties.models import Duty, Edition, Subject
from crm.duties.record import record
from crm.duties.workflow import confirm, issue_edition, withdraw_edition
from crm.fund import workflow as monthly
from crm.fund.models import Month
from crm.implementations import workflow as implementing
from crm.implementations.models import Implementation
from crm.letters.models import Letter
from crm.opinions import workflow as opinions
from crm.opinions.models import Opinion
from crm.papers import workflow as papers
from crm.papers.models import Paper
from crm.papers.models import State as PaperState
from crm.penalties.models import Penalty
from crm.plans.models import Plan
from crm.reports import workflow as reports
from crm.reports.models import Kind as ReportKind
from crm.reports.models import Report
from crm.reports.periods import Period
from crm.rulebooks import suggesting
from crm.rulebooks import workflow as drafting
from crm.rulebooks.models import Draft, Suggestion
from crm.tickets import workflow
from crm.tickets.models import State, Ticket
from crm.visits import feedback
from crm.visits import workflow as visits
from crm.visits.models import State as VisitState
from crm.visits.models import Visit
from tests import make
from tests.nets import rows
from tests.penalties import making as fining

KINDS = [kind for kind in Subject.__subclasses__() if kind.MOVES]

# refused for more than its table says: (kind, verb, state) → who may do it all the same
BESIDES = {
    ("penalty", "weigh", "upheld"): {"director"},  # a manager: about a director
    ("penalty", "appoint", "appealed"): {"director"},  # the manager issued it, and somebody may answer
    ("ticket", "cancel", "ended"): {"manager"},
    ("ticket", "duplicate", "ended"): {"manager"},  # a record whose service ended is owed; a manager may drop it
    ("contract", "lapse", "returned"): {"manager"},  # something is still to be paid
    ("contract", "lapse", "running"): {"manager"},
    ("suggestion", "answer", "open"): {"director"},  # an objection is the manager's
}
GOES = {("opinion", "reopen"): "founded", ("penalty", "decide"): "upheld",  # a complaint goes back to what was decided
        ("absence", "approve"): "approved", ("absence", "accept"): "accepted", ("absence", "decline"): "wanting",
        ("absence", "name"): "approved"}  # before the first day
STILL = {("callback", "drop"), ("paper", "fetch"), ("change", "unlink"),  # the call is still owed; the holder still works here; there is no link
         ("change", "postpone", "draft"), ("change", "postpone", "submitted"),  # nothing is promised yet
         ("absence", "name", "away")}  # somebody stands in already
OWN = {("absence", "withdraw", "asked")}  # what is only asked for, others reject
BY_HAND = {("callback", "drop")}  # the page knows the call it is for


def edition(state: str) -> Edition:
    if state == EditionState.WITHDRAWN:
        row = issue_edition(reading.shipped(), clock.moment(rows.free_day()))
        withdraw_edition(row, by=make.who("director"))
        return row
    row = db.session.query(Edition).order_by(Edition.id).first()
    row.state = EditionState.UNCONFIRMED
    db.session.flush()
    if state == EditionState.CONFIRMED:
        confirm(row, by=make.who("director"))
    return row


def ticket(state: str) -> Ticket:
    """A record of the specialist's, with everything owed that a verb may settle."""
    me, manager = make.who("specialist"), make.who("manager")
    unit = make.customer(f"老客户{db.session.query(Subject).count()}")
    make.contact(unit)
    make.ticket(unit, uncovered_reason="老客户", title="先登记的")  # of which it may be a duplicate
    row = make.filled(make.ticket(unit, uncovered_reason="老客户"))
    workflow.escalate(row, by=me, story="先上报一次")
    workflow.settle(row, by=manager, answer="先这样")
    workflow.escalate(row, by=me, story="再上报一次")
    if state in (State.WORKING, State.WAITING, State.ENDED):
        workflow.start(row, by=me)
    if state == State.WAITING:
        workflow.wait(row, by=me, reason="等客户", until=clock.today() + timedelta(days=3))
    ending = {State.ENDED: workflow.end, State.COMPLETE: workflow.complete}
    if state in ending:
        ending[State(state)](row, by=me)
    if state == State.CANCELLED:
        workflow.cancel(row, by=me, reason="重复")
    return row


def other(row) -> str:
    """Another record of the same customer."""
    twin = db.session.query(Ticket).filter(Ticket.customer_id == row.customer_id, Ticket.id != row.id).first()
    return twin.number if isinstance(row, Ticket) and twin else ""


def visit(state: str) -> Visit:
    """A visit of the specialist's, so far."""
    me, manager = make.who("specialist"), make.who("manager")
    row = make.visit(make.served_customer(f"单位{db.session.query(Subject).count()}"))
    steps = {
        VisitState.APPROVED: lambda: visits.approve(row, by=manager), VisitState.DEPARTED: lambda: visits.depart(row, by=me),
        VisitState.ARRIVED: lambda: (visits.arrive(row, by=me), make.feedback_of(row, signed=True, at=row.id)),
        VisitState.BACK: lambda: visits.come_back(row, by=me),
        VisitState.WRITTEN_UP: lambda: make.written_up(row),
    }  # fmt: skip
    if state == VisitState.REJECTED:
        visits.reject(row, by=manager, reason="先远程看看")
    elif state == VisitState.CANCELLED:
        visits.cancel(row, by=me, reason="客户改期")
    elif state in steps:
        for one in steps:
            steps[one]()
            if one == state:
                break
    return row


def callback(state: str) -> Callback:
    """One of the follow-up staff's, so far."""
    by = make.who("followup")
    origin = make.handed_in(make.served_customer(f"单位{db.session.query(Subject).count()}"))
    row = calls.begin(db.session.query(Duty).filter_by(subject_id=origin.id, rule="call.feedback").one(), by=by)
    make.in_vain(row, by=by)
    if state == CallState.DROPPED:
        owed = db.session.query(Duty).filter_by(subject_id=origin.id, rule="call.feedback").one()
        owed.dropped_by_id = record("visit.noted", origin, by=by).id
        db.session.flush()
        calls.drop(row, by=by)
        return row
    person = db.session.query(make.Contact).filter_by(customer_id=row.customer_id).one()
    if state == CallState.UNREACHED:
        calls.give_up(row, by=by, reason="空号")
    elif state != CallState.CALLING:
        doubt = "" if state == CallState.REACHED else "老问题又来了"
        calls.reach(row, by=by, contact=person, attitude=5, skill=5, result=5, doubt=doubt)
    if state == CallState.ASSIGNED:
        calls.assign(row, by=make.who("manager"), to=make.who("specialist2"), category="inquiry")
    return row


def report(state: str) -> Report:
    """A specialist's of a month that is over, so far; what is verified is the services."""
    rows.unit()
    month = Period.month(date(2010, 1, 1) + relativedelta(months=db.session.query(Report).count()))
    verified = state == "verified"
    by, manager = make.who("manager" if verified else "specialist"), make.who("manager")
    row = reports.prepare(ReportKind.SERVICES if verified else ReportKind.SPECIALIST, month, None if verified else by)
    if state == "waived":
        reports.waive(row, by=manager, reason="已离职")
    elif state != "open":
        reports.submit(row, by=by)
    if state == "received":
        reports.receive(row, by=manager)
    if verified:
        reports.verify(row, by=make.who("director"))
    return row


def plan(state: str) -> Plan:
    """Of a month that is over, so far."""
    verb = {"settled": "submit", "submitted": "sign_off"}.get(state, "settle")
    row = rows.plan("closed" if state == "signed_off" else "own", make.who("manager"), verb).subject
    assert isinstance(row, Plan)
    return row


def paper(state: str) -> Paper:
    """A paper of the specialist's; handed to the archivist, or lent to the specialist."""
    me, archivist = make.who("specialist"), make.who("archivist")
    row = make.paper(make.visit(make.served_customer(f"单位{db.session.query(Subject).count()}")), by=me)
    if state == PaperState.OFFERED:
        papers.offer(row, by=me, to=archivist)
    elif state == PaperState.LOST:
        papers.lose(row, by=me, words="搬家时不见了")
    elif state == PaperState.VOID:
        papers.void(row, by=me, reason="点错了")
    elif state != PaperState.HELD:
        papers.offer(row, by=me, to=archivist)
        papers.archive(row, by=archivist, place="甲柜二层")
    if state in (PaperState.LENT, PaperState.RETURNED):
        papers.lend(row, by=archivist, to=me, until=clock.today())
    if state == PaperState.RETURNED:
        papers.give_back(row, by=me)
    return row


def letter(state: str) -> Letter:
    row = rows.letter("closed" if state == "retired" else "own", make.who("director")).subject
    assert isinstance(row, Letter)
    return row


def contract(state: str) -> Contract:
    """One of the specialist's that somebody ought to have paid a week ago, so far."""
    me, unit = make.who("specialist"), make.served_customer(f"单位{db.session.query(Subject).count()}")
    if state in ("returned", "running", "lapsed", "renewed"):
        row = make.unpaid(unit)
        if state in ("running", "renewed"):
            paying.release(row, by=make.who("manager"), reason="老客户")
        if state == "lapsed":
            contracts.lapse(row, by=make.who("manager"), reason="单位已注销")
        if state == "renewed":
            starts = row.ends_on + timedelta(days=1)
            make.contract(unit, successor_of=row, starts_on=starts, ends_on=starts, adjustment="一天", upto="returned")
            db.session.refresh(row)
        if state in ("running", "renewed"):
            record("contract.edited", row, unagreed=True)
        return row
    row = make.contract(unit, upto="draft" if state == "declined" else state)
    if state == "declined":
        contracts.decline(row, by=me, reason="预算没批")
    return row


def implementation(state: str) -> Implementation:
    row, me = rows.implementation("own", make.who("specialist")).subject, make.who("specialist")
    assert isinstance(row, Implementation)
    if state == "ended":
        implementing.end(row, by=me, ended_on=row.starts_on)
    if state == "cancelled":
        implementing.cancel(row, by=make.who("manager"), reason="不做了")
    return row


def change(state: str) -> ChangeRequest:
    """One of the specialist's, built by the developer, so far."""
    me = make.who("specialist")
    make.other_developer()
    row = make.change(make.served_customer(f"单位{db.session.query(Subject).count()}"), upto=state if state in make.CHANGED else "submitted")
    if state == "rejected":
        changes.reject(row, by=make.who("manager"), reason="已有")
    if state == "withdrawn":
        changes.withdraw(row, by=me, reason="不要了")
    return row


def opinion(state: str) -> Opinion:
    """A complaint about a specialist that the manager investigates, the third of its kind; or what is only answered."""
    unit = make.served_customer(f"单位{db.session.query(Subject).count()}")
    if state in ("to_answer", "withdrawn"):
        row = make.opinion(unit)
        if state == "withdrawn":
            opinions.withdraw(row, by=make.who("manager"), reason="不提了")
        return row
    if state in ("founded", "answered") and not db.session.query(Opinion).filter(Opinion.confirmed_at.is_not(None)).first():
        make.complaint(unit, upto="founded", against=make.who("specialist2"))
    row = make.complaint(unit, upto="heard" if state == "dismissed" else state, against=make.who("specialist2"))
    if state == "dismissed":
        opinions.dismiss(row, by=make.who("manager"), findings="没有这回事")
    return row


def penalty(state: str) -> Penalty:
    """Against the specialist, entered by follow-up, issued by the manager; what is recommended where it was upheld."""
    key = "7.1.later" if state == "upheld" else "3.9.late"
    row = fining.penalty("proposed" if state == "voided" else state, by=make.who("followup"), key=key)
    if state == "voided":
        row.state = state
        record("penalty.voided", row)
    return row


def month(state: str) -> Month:
    """One that was over long ago, before all others there are."""
    row = rows.statement("own" if state == "open" else "closed", make.who("director"), "close").subject
    assert isinstance(row, Month)
    if state == "taken":
        monthly.take(row, by=make.who("archivist"))
    return row


def absence(state: str) -> Absence:
    """The specialist's for three days, who owes something when they leave; one of follow-up stands in."""
    me, other, manager = make.who("specialist"), make.who("followup"), make.who("manager")
    make.ticket(make.served_customer(f"单位{db.session.query(Subject).count()}"))
    rows.alone()
    if state in ("asked", "approved", "accepted", "away", "over"):
        return make.absence(to=other, upto=state, days=3)
    if state == "lapsed":
        with clock.frozen(clock.now() - timedelta(days=9)):
            row = make.absence(to=other, upto="approved", days=3)
        absences.end(row)
        return row
    row = make.absence(to=other, upto="approved" if state == "wanting" else "asked", days=3)
    acts = {"wanting": lambda: absences.decline(row, by=other, reason="出差"),
            "rejected": lambda: absences.reject(row, by=manager, reason="太忙"),
            "withdrawn": lambda: absences.withdraw(row, by=me, reason="不去了")}  # fmt: skip
    acts[state]()
    return row


def draft(state: str) -> Draft:
    row = drafting.begin(by=make.who("director"), title="明年的制度", base=db.session.query(Edition).order_by(Edition.id).first())
    if state == "issued":
        drafting.issue(row, by=make.who("director"), holds_from=rows.free_day())
    if state == "discarded":
        drafting.discard(row, by=make.who("director"), reason="不改了")
    return row


def suggestion(state: str) -> Suggestion:
    """A suggestion of the specialist's; there is a draft that may take it up."""
    drafting.begin(by=make.who("director"), title="明年的制度", base=db.session.query(Edition).order_by(Edition.id).first())
    row = suggesting.suggest(by=make.who("specialist"), category="suggestion", words="期限太紧", clause="5.1.3")
    if state == "answered":
        suggesting.answer(row, by=make.who("director"), words="下一版改")
    if state == "withdrawn":
        suggesting.withdraw(row, by=make.who("specialist"))
    return row


def signing(row) -> dict:
    """What is signed, by a drawing of its own."""
    if isinstance(row, Absence):
        return {"ends_on": str(row.starts_on)}
    if isinstance(row, Draft):
        return {"holds_from": str(rows.free_day())}
    if isinstance(row, Suggestion):
        return {"draft": db.session.query(Draft).order_by(Draft.id.desc()).first().number}
    if isinstance(row, Opinion):  # a correction that changes nothing of its kind
        return {"kind": row.category, "about": row.about}
    if isinstance(row, Penalty):
        return {"first": str(make.who("developer").id), "second": str(make.who("archivist").id), "outcome": "upheld"}
    if not isinstance(row, Visit):
        return {}
    what = feedback.what_of(row, feedback.head_of(row))
    return {"what": what, "strokes": make.drawing(row.version + 100 * row.id)}


def taker(row, verb: str = "") -> str:
    """Who may be given it; a complaint stays with those who lead."""
    if isinstance(row, Absence):
        return str(make.who("manager").id)
    if verb == "rebuild":
        return str(make.who("developer2").id)
    return str(make.who("director" if isinstance(row, Opinion) and row.complaint else "specialist2").id)


# a new kind with moves gets a line: how its row comes into a state
PUT = {Draft: draft, Suggestion: suggestion, Absence: absence, ChangeRequest: change, Opinion: opinion, Letter: letter, Contract: contract, Edition: edition, Implementation: implementation, Paper: paper, Penalty: penalty, Month: month, Ticket: ticket,
       Visit: visit, Callback: callback, Report: report, Plan: plan}  # fmt: skip


def end_of(kind: str, verb: str, move, state: str) -> str:
    """Where it leads, as the nets send it: of several ends the one in GOES, or none of them."""
    return GOES.get((kind, verb), state) if len(move.ends) > 1 else move.to or state
