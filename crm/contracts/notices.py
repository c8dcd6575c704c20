"""One month ahead (5.2.2): what a contract's letters say, whether its notice can be written, and why it was or was not."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import or_, select

from crm import clock
from crm.catalogue import locale_of
from crm.contracts import sums
from crm.contracts.models import Contract, ContractEvent, State, covered
from crm.customers.models import Contact, Customer
from crm.db import db, unit_of_work
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.acts import each_once
from crm.duties.editions import book_of
from crm.duties.locks import lock
from crm.duties.message import Message, MessageState, Way
from crm.duties.models import Duty, open_now
from crm.duties.record import record
from crm.duties.rulebook import Rule
from crm.labels import N_
from crm.letters import outbox
from crm.letters.company import company
from crm.letters.letter import About, way_to
from crm.money import yuan
from crm.serials.models import Installation, Product
from crm.staff.models import User

NOTICE, REMINDER, DEMAND = "contract.notice", "contract.reminder", "contract.demand"  # its entries in the rulebook
FIND = "contract.find_address"


def about(contract: Contract, slot: str = "") -> About:
    """What the letters of a contract say, and where they reach."""
    customer = db.session.get_one(Customer, contract.customer_id)
    installed = _installed(contract)
    owner = db.session.get(User, contract.owner_id) if contract.owner_id else None
    ends = contract.ends_on or clock.today()
    with force_locale(locale_of(contract.language)):
        head = [_("Software"), _("Users"), _("First day"), _("Last day")]
        ours = company()
    values = {
        "customer": customer.full_name or customer.title, "contact": contact_of(customer), "number": contract.number,
        "starts_on": str(contract.starts_on or ""), "ends_on": str(contract.ends_on or ""),
        "days": str(max((ends - clock.today()).days, 0)), "amount": yuan(contract.amount_fen or 0),
        "open": yuan(sums.open_fen(contract)),
        "due_on": str(contract.payment_due_on or ""), "specialist": owner.title if owner else "", "company": ours.name,
        "phone": (owner and owner.phone) or ours.phone, "account": ours.account, "today": str(clock.today()),
    }  # fmt: skip
    days = [str(contract.starts_on or ""), str(contract.ends_on or "")]
    rows = [[one.title, str(one.users or "—"), *days] for one, _product in installed]
    brands = {product.brand for _one, product in installed}
    return About(
        values=values, rows=rows, head=head, brand=brands.pop() if len(brands) == 1 else "", language=contract.language,
        to=customer.full_name or customer.title, address=customer.address, fax=customer.fax, email=customer.email,
        post=customer.post,
    )  # fmt: skip


def _installed(contract: Contract) -> list[tuple[Installation, Product]]:
    rows = (
        select(Installation, Product).join(Product, Product.id == Installation.product_id)
        .join(covered, covered.c.installation_id == Installation.id).where(covered.c.contract_id == contract.id)
        .order_by(Installation.id)
    )  # fmt: skip
    return [(one, product) for one, product in db.session.execute(rows)]


def contact_of(customer: Customer) -> str:
    """Whom letters and invoices are for: who is responsible for the software, else the first there is."""
    who = select(Contact.name).where(Contact.customer_id == customer.id, Contact.active)
    return db.session.scalar(who.order_by(Contact.software_responsible.desc(), Contact.id).limit(1)) or ""


def reachable(contract: Contract) -> bool:
    """Whether a letter reaches the customer: by fax, by e-mail or, where they asked for it, by post."""
    customer = db.session.get_one(Customer, contract.customer_id)
    return way_to(customer.fax, customer.email, customer.post) is not None


def hindrance(contract: Contract, rule: Rule) -> str:
    """Why the letter of a rule is not written now. What is over is nobody told (5.2.2); where no letter reaches anybody,
    somebody is asked to find out where to write; a reminder may be passed over."""
    book = book_of(contract)
    if book is None or rule.keeps[0] not in book.posts_by_event:
        return ""
    if contract.over:
        return ContractEvent.OVER
    if not reachable(contract):
        return ContractEvent.NO_ADDRESS
    return ContractEvent.PASSED_OVER if _passed_over(contract, rule) else ""


def act_facts(contract: Contract, rule: Rule) -> dict[str, Any]:
    """What is told with an act of the program; of a reminder that is passed over why."""
    facts = {"ends_on": contract.ends_on, "what": f"{rule.key} {contract.ends_on}"}
    return facts | ({"said": why} if (why := _passed_over(contract, rule)) else {})


def _passed_over(contract: Contract, rule: Rule) -> str:
    """Why a reminder is not written; "" if it is. It never goes before the notice, nor soon after one that went out late; of
    one contract one letter a day goes out."""
    if rule.keeps[0] != ContractEvent.REMINDED:
        return ""
    if _written_today(contract):
        return N_("another letter goes out the same day")
    notice = notice_of(contract)
    if notice is None:
        owed = Duty.subject_id == contract.id, Duty.rule == NOTICE, open_now()
        return WAITS if db.session.scalar(select(Duty.id).where(*owed).limit(1)) else ""
    if notice.state in (MessageState.REJECTED, MessageState.WITHDRAWN):
        return N_("the expiry notice did not reach the customer")
    if notice.state == MessageState.QUEUED and notice.way == Way.PAPER:
        return WAITS
    days = editions.setting(contract, "reminder_after_days")
    lately = clock.today() - clock.local(notice.queued_at).date() <= timedelta(days=days)
    return N_("the expiry notice has only just gone out") if lately else ""


WAITS = N_("the expiry notice has not gone out yet")


def notice_of(contract: Contract) -> Message | None:
    """The notice of its present end: of those sent once more the last; none that gave up its place."""
    slot = str(contract.ends_on)
    slots = or_(Message.slot == slot, Message.slot.startswith(f"{slot}#"))
    written = Message.subject_id == contract.id, Message.rule == NOTICE, Message.slot.not_like(f"%{outbox.FREED}%")
    return db.session.scalar(select(Message).where(*written, slots).order_by(Message.id.desc()).limit(1))


def _written_today(contract: Contract) -> bool:
    written = Message.subject_id == contract.id, Message.queued_at >= clock.moment(clock.today())
    goes = select(Message.id).where(*written, Message.state != MessageState.WITHDRAWN)
    return db.session.scalar(goes.limit(1)) is not None


Contract.letter_about, Contract.hindrance, Contract.act_facts = about, hindrance, act_facts  # type: ignore[method-assign]
Contract.HINDRANCES = (ContractEvent.OVER, ContractEvent.NO_ADDRESS, ContractEvent.PASSED_OVER)


@dataclass(frozen=True)
class Why:
    """What became of the notice of a contract's present end: a word for it, and when."""

    # not_yet | sent | waiting | to_post | unknown | rejected | withdrawn | renewed | over | no_address | history | none
    what: str
    at: datetime | None = None
    day: date | None = None
    message_id: int | None = None


def why(contract: Contract) -> Why:
    """Why the expiry notice of this contract was or was not sent, for its page."""
    if (message := notice_of(contract)) is not None:
        return _of_message(message)
    if contract.edition_id is None:
        return Why("history")
    owed = {duty.rule: duty for duty in db.session.scalars(select(Duty).where(Duty.subject_id == contract.id, open_now()))}
    if FIND in owed:
        return Why("no_address", owed[FIND].due_at)
    if NOTICE in owed:
        return Why("not_yet", owed[NOTICE].show_from)
    if contract.state == State.RENEWED:
        return Why("renewed")
    if contract.state != State.RUNNING or contract.ends_on is None:
        return Why("none")
    return Why("over" if contract.over else "none", day=contract.ends_on)


def _of_message(message: Message) -> Why:
    ready = message.way == Way.PAPER and message.sheet_sha256 is not None  # people print and post it
    words = {MessageState.QUEUED: "to_post" if ready else "waiting", MessageState.SENDING: "waiting"}
    what = words.get(MessageState(message.state), message.state)
    return Why(what, message.ended_at or message.queued_at, message_id=message.id)


def withdraw(contract: Contract, *, by=None, said: str = "", but: date | None = None) -> None:
    """What is queued of its notices and reminders is not sent any more; of the end `but` it is, to which it was moved: should
    the end move back, what was withdrawn is written after all."""
    outbox.withdraw(contract, by=by, said=said, rules=[NOTICE, REMINDER], but=str(but or ""), anew=but is not None)


def demand_no_more(contract: Contract, *, by) -> None:
    """Nothing is to be paid any more: a demand that still waits is not sent (D2), and is written anew should it be due again."""
    outbox.withdraw(contract, by=by, rules=[DEMAND], anew=True)


def find_addresses(as_of: datetime) -> int:
    """A sweep's step: what nobody could be written to about, and now can: nobody need look for an address any more."""
    unit = Customer.__table__.c
    asked = (
        select(Contract.id, unit.fax, unit.email, unit.by_post, unit.address).join(Duty, Duty.subject_id == Contract.id)
        .join(Customer.__table__, unit.id == Contract.customer_id).where(Duty.rule == FIND, open_now())
    )  # fmt: skip
    with unit_of_work(read_only=True):
        rows = db.session.execute(asked.order_by(Duty.id)).all()
    found = [id for id, fax, email, post, address in rows if way_to(fax, email, address if post else "")]
    return each_once(found, _address_found, lambda id: False)


def _address_found(contract_id: int) -> None:
    contract = db.session.get_one(Contract, contract_id)
    lock(contract)
    owed = Duty.subject_id == contract.id, Duty.rule == FIND, open_now()
    if reachable(contract) and db.session.scalar(select(Duty.id).where(*owed)) is not None:
        record(ContractEvent.ADDRESS_FOUND, contract)


@dataclass(frozen=True)
class Coming:
    """A notice that will go out: the contract, from when on, by which way; none if neither fax nor e-mail is known."""

    contract: Contract
    goes: datetime
    way: Way | None
    fax: str  # a number no gateway takes reaches nobody


def forecast(user, until: date) -> list[Coming]:
    """The notices that will go out until a day, the first to go first."""
    unit = Customer.__table__.c
    rows = (
        select(Contract, Duty.show_from, unit.fax, unit.email, unit.by_post, unit.address)
        .join(Duty, Duty.subject_id == Contract.id).join(Customer.__table__, unit.id == Contract.customer_id)
        .where(Duty.rule == NOTICE, open_now(), Contract.visible(user), Duty.show_from < clock.end_of(until))
        .order_by(Duty.show_from, Duty.id).limit(duties.MOST)
    )  # fmt: skip
    found = []
    for contract, goes, fax, email, by_post, address in db.session.execute(rows):
        reached = way_to(fax, email, address if by_post else "")
        found.append(Coming(contract, goes, reached[0] if reached else None, fax))
    return found
