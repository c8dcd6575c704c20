"""What people do with duties and with the rulebook itself: ask for more time, decide, issue, confirm, acknowledge."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from crm import clock
from crm.db import db, insert, next_number, rows_of, unit_of_work
from crm.duties import editions, reading
from crm.duties.carrying import in_reach, warning
from crm.duties.events import DutyEvent, EditionEvent, EditionState
from crm.duties.locks import lock
from crm.duties.models import Acknowledgement, Duty, Edition, Event, Extension, Notice, Subject, open_now, pending_now
from crm.duties.passing import pass_on
from crm.duties.queries import event_labels
from crm.duties.record import days_of, record, settle
from crm.duties.rows import DECIDE_MORE_TIME
from crm.duties.rulebook import Rulebook, RulebookError
from crm.errors import Forbidden, Invalid, NotThere, WrongState
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission, Role, granted

ACKNOWLEDGE = "rulebook.acknowledge"
FIRST_DAY = datetime(1990, 1, 1, tzinfo=clock.ZONE)


MOVES = {
    "confirm": Move(
        noun="confirmation", label=N_("Confirm our defaults"), froms=frozenset({EditionState.UNCONFIRMED}),
        to=EditionState.CONFIRMED, permission=Permission.RULEBOOK_ISSUE, icon="check2", tone="primary",
    ),
}  # fmt: skip
Edition.MOVES = MOVES


def check_rulebook(text: str) -> Rulebook:
    """Read an edition's text against all that the program knows; RulebookError lists every fault."""
    return known_to_all(reading.read(text))


def known_to_all(edition: Rulebook) -> Rulebook:
    """What was read names nothing that no package has; RulebookError otherwise."""
    kinds = Subject.__subclasses__()
    dates = {date for kind in kinds for date in kind.DATES}
    moves = {name for kind in kinds for name in kind.MOVES} | {"decide", "acknowledge", "call"}
    subjects = set(Subject.__mapper__.polymorphic_map)
    facts = {"category", "duty", "message"} | {fact for kind in kinds for fact in kind.FACTS}
    states = {str(state) for kind in kinds for state in kind.STATES or ()}
    faults = [
        *reading.unknown_kinds(edition, set(event_labels())),
        *reading.unknown_words(edition, dates, moves, subjects),
        *reading.unknown_facts(edition, facts | dates, states),
        *reading.unreachable(edition), *_unable(edition),
    ]
    named = {key for kind in kinds for key in kind.PENALTIES}
    faults += [f"[penalty.{key}]: is named by the program and must be there" for key in sorted(named - edition.penalties.keys())]
    if faults:
        raise RulebookError(faults)
    return edition


def _unable(edition: Rulebook) -> Iterator[str]:
    """Duties of a role that may not press the button which settles them: nobody could."""
    for rule in edition.rules.values():
        kind, _, role = rule.owner.partition(":")
        for one in Subject.__subclasses__() if kind == "pool" and rule.move else ():
            move = one.MOVES.get(rule.move)
            if move and {*rule.keeps} & {str(event) for event in one.EVENTS} and not granted(frozenset({role})) & move.rights:
                yield f"[duty.{rule.key}]: owner {role} may not do it"


def issue_edition(text: str, holds_from: datetime, *, by=None) -> Edition:
    """Add an edition that holds from an instant on (10). What is open already keeps its own; ValueError if the day is
    over, has an edition, or lies before the last one's."""
    edition = check_rulebook(text)
    number = next_number("R")  # of two at once the second waits here, and finds the first
    last = db.session.scalar(select(func.max(Edition.holds_from)))
    if last is not None and holds_from <= last:
        raise ValueError("an edition already holds from that day or a later one")
    if last is not None and holds_from < clock.moment(clock.today()):
        raise ValueError("that day is over: what happened before is judged by the rules of its day")
    row = Edition(
        number=number, title=edition.title["zh"], state=EditionState.UNCONFIRMED,
        holds_from=holds_from, body=text, opened_at=clock.now(),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    row.edition_id = row.id  # it is itself the rulebook it lives under
    db.session.flush()
    editions.issuing(row.id)
    record(EditionEvent.ISSUED, row, by=by, holds_from=holds_from)
    return row


def withdraw_edition(edition: Edition, *, by) -> None:
    """An edition that does not hold yet never will; nobody owes its acknowledgement any more. WrongState if it holds."""
    lock(edition)
    db.session.refresh(edition)
    if edition.holds_from is None or edition.holds_from <= clock.now():
        raise WrongState()
    edition.holds_from, edition.state = None, EditionState.WITHDRAWN
    edition.version += 1
    db.session.flush()
    asked = select(Duty.subject_id).where(Duty.rule == ACKNOWLEDGE, Duty.slot == edition.number)  # who acknowledged it, too
    record(EditionEvent.WITHDRAWN, edition, by=by, people=sorted(set(db.session.scalars(asked))))
    for user in db.session.scalars(select(Subject).where(Subject.id.in_(asked.where(open_now())))).all():
        record(EditionEvent.WITHDRAWN, user, by=by, edition=edition.number)


def issue_shipped() -> Edition:
    """The edition that comes with the program, holding since before anything happened."""
    return issue_edition(reading.shipped(), FIRST_DAY)


def confirm(edition: Edition, *, by) -> None:
    """The director takes our defaults as the department's own."""
    MOVES["confirm"].apply(edition, by)
    record(EditionEvent.CONFIRMED, edition, by=by)


def present(edition: Edition, user: Subject) -> None:
    """Show an edition to a person, who then owes its acknowledgement (8)."""
    record(EditionEvent.PRESENTED, user, edition=edition.number)


def acknowledge(edition: Edition, *, by: Subject) -> None:
    """Each person acknowledges an edition once (8); doing it again changes nothing."""
    row = insert(Acknowledgement).values(edition_id=edition.id, user_id=by.id, at=clock.now())
    if db.session.scalar(row.on_conflict_do_nothing().returning(Acknowledgement.user_id)):
        record(EditionEvent.ACKNOWLEDGED, by, by=by, edition=edition.number)


def may_ask(duty: Duty, user) -> bool:
    """Whose duty it is may ask, before its deadline and while nothing is being decided (3.8)."""
    mine = duty.owner_id == user.id or (duty.owner_id is None and duty.pool in user.roles and not kept_from(duty, user))
    if duty.subject_id == user.id or duty.rule == DECIDE_MORE_TIME:  # what only oneself can do, or what others wait for
        return False
    return mine and duty.open and not duty.held_by_id and not duty.breached_by_id and clock.now() <= duty.due_at


def ask_more_time(duty: Duty, *, by, reason: str, wanted: datetime) -> Extension:
    """3.8: what cannot be done in time is explained beforehand. Until it is decided the clock does not breach it."""
    lock(duty.subject)
    settle(duty.subject, clock.now())
    db.session.refresh(duty)
    if not may_ask(duty, by):
        raise WrongState()
    if not in_reach(wanted, duty, duty.due_at):
        raise Invalid(fields={"wanted": N_("The new date must lie after the present deadline, within a year of it.")})
    facts = {"duty": duty.id, "rule": duty.rule, "reason": reason, "wanted": wanted}
    event = record(DutyEvent.MORE_TIME_ASKED, duty.subject, by=by, **facts)
    held = update(Duty).where(Duty.id == duty.id, pending_now()).values(held_by_id=event.id)
    if not rows_of(db.session.execute(held)):
        raise WrongState()
    request = Extension(duty=duty, asked_by_id=by.id, asked_at=clock.now(), reason=reason, wanted=wanted)
    db.session.add(request)
    db.session.flush()
    return request


def decide_more_time(request: Extension, *, by, granted: bool, until: datetime | None = None, remark: str = "") -> None:
    """3.8: the manager grants a new date or not. Refused, the old deadline stands, even if it has passed meanwhile."""
    duty, now = request.duty, clock.now()
    lock(duty.subject)
    db.session.refresh(duty)
    theirs = request.asked_by_id in by.cover.people
    if theirs or not by.may(Permission.TIME_GRANT) or by.id in (request.asked_by_id, duty.owner_id):
        raise Forbidden(N_("Whoever asks never approves: another manager or the director decides this."))
    until = (until or request.wanted) if granted else None
    if until is not None and not in_reach(until, duty, now):
        raise Invalid(fields={"until": N_("The new date must lie after the present deadline, within a year of it.")})
    decided = {"granted": granted, "decided_by_id": by.id, "decided_at": now, "new_due_at": until, "remark": remark}
    undecided = update(Extension).where(Extension.id == request.id, Extension.granted.is_(None)).values(decided)
    if not duty.open or not rows_of(db.session.execute(undecided)):
        raise WrongState()
    kind = DutyEvent.MORE_TIME_GRANTED if granted else DutyEvent.MORE_TIME_REFUSED
    facts = {"duty": duty.id, "rule": duty.rule, "until": until, "remark": remark, "asked_by": request.asked_by_id}
    record(kind, duty.subject, by=by, **facts)
    if until:
        duty.due_at = until
        edition = editions.book(duty.edition_id)
        duty.warn_at = warning(edition.rules[duty.rule].warn, until, now, days_of(edition))
        duty.liable_id = None
    duty.held_by_id = None
    db.session.flush()
    settle(duty.subject, now)


def may_claim(duty: Duty, user) -> bool:
    """Whose role it falls to may take it on, unless they served the customer and another has to (5.5.1); a manager calls
    back where nobody else may."""
    stands_in = duty.pool == Role.FOLLOWUP and user.may(Permission.TICKET_ASSIGN)
    return duty.open and duty.owner_id is None and (duty.pool in user.roles or stands_in) and not kept_from(duty, user)


def kept_from(duty: Duty, user) -> bool:
    """Whether this is for others than `user`: a call for others than those who served the customer (5.5.1), a decision for
    others than those who asked for it (ours.approval)."""
    rule = editions.book(duty.edition_id).rules[duty.rule]
    move = duty.subject.MOVES.get(rule.move)
    if move is not None and move.barred(user, duty.subject):
        return True
    return rule.others and user.id in duty.subject.servers


def claim(duty: Duty, *, by) -> None:
    """Take on what falls to one's role. Of two at once one does: WrongState for the other."""
    lock(duty.subject)
    db.session.refresh(duty)
    if kept_from(duty, by):
        raise Forbidden(N_("This is for somebody else: you served there, or asked for it yourself."))
    if not may_claim(duty, by):
        raise WrongState()
    record(DutyEvent.CLAIMED, duty.subject, by=by, duty=duty.id, rule=duty.rule)
    duty.owner_id = by.id
    db.session.flush()


def may_release(duty: Duty, user) -> bool:
    """Whoever took it on, and a manager for one who is away."""
    taken = duty.open and duty.owner_id is not None and duty.pool in set(Role)
    return taken and (duty.owner_id == user.id or user.may(Permission.TICKET_ASSIGN))


def release(duty: Duty, *, by) -> None:
    """Give back what was taken on: it falls to the role again."""
    lock(duty.subject)
    db.session.refresh(duty)
    if not may_release(duty, by):
        raise WrongState()
    record(DutyEvent.RELEASED, duty.subject, by=by, duty=duty.id, rule=duty.rule)
    duty.owner_id = None
    db.session.flush()


def let_go(owner: Subject, *, lost: Collection[str], by) -> None:
    """What somebody took on for a role that they have lost falls to that role again, and is not forgotten with them."""
    taken = select(Duty).where(Duty.owner_id == owner.id, Duty.pool.in_(lost), open_now())
    for duty in list(db.session.scalars(taken.order_by(Duty.subject_id.desc(), Duty.id))):
        lock(duty.subject)
        db.session.refresh(duty)
        if duty.open and duty.owner_id == owner.id:
            record(DutyEvent.RELEASED, duty.subject, by=by, duty=duty.id, rule=duty.rule)
            duty.owner_id = None
            db.session.flush()


def see_notice(user: Subject, notice_id: int) -> Subject:
    """Mark one's notice as seen; the subject it is about. NotThere for another's."""
    found = db.session.execute(
        select(Notice, Subject).join(Event, Event.id == Notice.event_id).join(Subject, Subject.id == Event.subject_id)
        .where(Notice.id == notice_id, Notice.user_id == user.id)
    ).first()  # fmt: skip
    if found is None:
        raise NotThere()
    notice, subject = found
    notice.seen_at = notice.seen_at or clock.now()
    return subject


def see_notices_before(at: datetime) -> None:
    """Everybody's notices of what was written down before an instant, as if they had been seen."""
    old = select(Event.id).where(Event.recorded_at <= at)
    seen = update(Notice).where(Notice.event_id.in_(old), Notice.seen_at.is_(None)).values(seen_at=clock.now())
    db.session.execute(seen.execution_options(synchronize_session=False))


def see_all_notices(user: Subject) -> None:
    mine = update(Notice).where(Notice.user_id == user.id, Notice.seen_at.is_(None))
    db.session.execute(mine.values(seen_at=clock.now()).execution_options(synchronize_session=False))


def forget_notices(as_of: datetime) -> int:
    """A sweep's step: what was seen three months ago."""
    with unit_of_work():
        old = delete(Notice).where(Notice.seen_at < as_of - timedelta(days=90))
        return rows_of(db.session.execute(old))


def assign(subject: Subject, kind: str, *, by, to, reason: str, works: Permission) -> None:
    """Another, who `works` on such things, goes on with it and owes what is owed from now on. `kind`: what happened, as
    its own package calls it."""
    if not to.may(works):
        raise Invalid(fields={"to": N_("This is not among what this person works on.")})
    subject.MOVES["assign"].apply(subject, by)
    if to.id == subject.owner_id:
        raise Invalid(fields={"to": N_("It is theirs already.")})
    pass_on(subject, kind, by=by, to=to, reason=reason)
