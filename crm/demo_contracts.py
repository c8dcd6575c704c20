"""The demo department's contracts: a year of renewals, what ends soon with its letters, one that is unpaid and one withheld."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from crm import clock
from crm.contracts import paying
from crm.contracts import workflow as contracts
from crm.contracts.models import Answer, Contract, Kind
from crm.customers.models import Customer
from crm.db import db
from crm.demo_serials import hand_out
from crm.duties.acts import carry_out
from crm.duties.message import Message, MessageEvent, MessageState, Way
from crm.duties.models import Duty, Subject, open_now
from crm.duties.record import record
from crm.duties.rulebook import PROGRAM
from crm.files import store
from crm.letters import handling, outbox
from crm.letters.letter import NotReady, prepare
from crm.papers import workflow as papers
from crm.plans import completion
from crm.plans import workflow as plans
from crm.serials.models import Installation
from crm.staff.models import User

Life = Iterator[datetime]
EARLY = 80  # who is served for so many days to come renewed within the year, before any notice was due
ENTERED = -11  # working days: since then the department keeps all its contracts here
ANSWERS = {"sent": "250 OK", "rejected": "550 5.1.1 mailbox unavailable"}  # of the server
FEN = 360_000  # a year's service of one system


class Contracts:
    """What is agreed on with customers, and paid."""

    texts: dict[str, Any]
    people: dict[str, User]
    units: dict[str, Any]
    dice: Random
    days: Any
    today: date
    now: datetime
    begin: Any
    when: Any
    morning: Any
    owner: Any
    owed_call: Any
    speak: Any

    def renewed_early(self, line: dict[str, Any]) -> bool:
        return line["ends"] >= EARLY and "joined" not in line

    def mail_of(self, phone: str) -> str:
        """Of most an e-mail is known; of some neither that nor a fax."""
        return f"kuaiji@{phone[-7:]}.example.com" if int(phone[-3]) < 7 else ""

    def first_end(self, line: dict[str, Any], ends: date) -> date:
        """When the period ends with which a customer came; the rest is a renewal's."""
        return ends - relativedelta(years=1) if self.renewed_early(line) else ends

    def plan_contracts(self) -> None:
        """The sales, and each month's plan."""
        self.plan_months()
        begins = clock.moment(self.days.add_days(self.today, -12), time(10, 20))
        for count, at in enumerate(self.texts["sale"]):
            self.begin(begins, self.sale(at), Random(f"{self.today} sale {count}"))

    def plan_months(self) -> None:
        """A contract plan for each month of the year; of the month in which the last contracts came in, after that."""
        entered = clock.moment(self.days.add_days(self.today, ENTERED), time(11, 30))
        for ago in range(13):
            first = self.today.replace(day=1) - relativedelta(months=ago)
            begins, ends = clock.moment(first, time(0, 5)), clock.moment(first + relativedelta(months=1))
            begins = max(begins, entered) if entered < ends else begins
            self.begin(begins, self.month(first), Random(f"{self.today} plan {first}"))

    def month(self, first: date) -> Life:
        """Settled by the manager, its completion submitted after the month's end, signed off by the director."""
        if first not in plans.months(clock.now()):
            return
        plan, manager = plans.propose(first), self.people["manager"]
        yield self.when("1-1 days")
        waits = [one for one in completion.figures_of(plan)["renewals"] if one["outcome"] == completion.Outcome.OPEN]
        plans.revise(plan, {one["id"]: {"remark": "预算月底批，盯紧。"} for one in waits[:1]}, by=manager)
        plans.settle(plan, by=manager)
        yield self.morning(self.days.next(plan.closes_on + timedelta(days=1)))
        sums = completion.figures_of(plan)["sums"]
        plans.submit(plan, by=manager, remark="没收齐的下月继续跟。" if sums["paid"] < sums["expected"] else "")
        yield self.when("1-1 days")
        plans.sign_off(plan, by=self.people["director"])

    def under_contract(self, unit: Any, line: dict[str, Any]) -> Life:
        """The contract a customer came with, and its renewal."""
        installed = [one for one, _ in unit.systems]
        if not installed:
            return
        ends = self.today + timedelta(days=line["ends"])
        if self.renewed_early(line):
            before = self.take_over(unit.customer, installed, self.first_end(line, ends), by=self.people["manager"])
            assert before.ends_on
            hand_out(before, installed, by=self.owner(before), to=unit.contacts[0])
            yield self.morning(self.days.previous(before.ends_on - timedelta(days=self.dice.randint(60, 75))))
            yield from self.renew(before, unit, installed)
            return
        yield self.morning(self.days.add_days(self.today, -2 if "entered" in line else ENTERED))
        years = 1 if "joined" in line else 2
        by = self.owner(unit.customer) if "entered" in line else self.people["manager"]  # who else is to check it
        before = self.take_over(unit.customer, installed, ends, by=by, years=years)
        if "lacks" not in line:
            hand_out(before, installed, by=self.owner(before), to=unit.contacts[0])
        if scene := line.get("contract"):
            self.begin(clock.now(), self.renew(before, unit, installed, scene), Random(f"{self.today} {scene}"))
        if line["ends"] <= 31:
            self.begin(clock.now(), self.write_to(before, line.get("reminder", "sent")), Random(before.number))

    def take_over(self, customer: Customer, installed: list[Installation], ends: date, by: User, years: int = 1) -> Contract:
        starts = ends - relativedelta(years=years) + timedelta(days=1)
        return contracts.take_over(
            customer, installed, starts_on=starts, ends_on=ends, by=by, amount_fen=FEN * len(installed) * years,
            title=f"{installed[0].product.name}{'等' if len(installed) > 1 else ''}售后服务",
        )  # fmt: skip

    def renew(self, before: Contract, unit: Any, installed: list[Installation], scene: str = "renewed") -> Life:
        """From the draft to the new serial numbers, or as far as the scene goes."""
        by = self.owner(before)
        assert before.ends_on
        starts = before.ends_on + timedelta(days=1)
        yield self.when({"draft": "5-5 days", "unpaid": "3-3 days"}.get(scene, "20-200 minutes"))
        after = contracts.draft(
            by=by, customer=unit.customer, installations=installed, successor_of=before, title=before.title,
            amount_fen=FEN * len(installed), starts_on=starts, ends_on=starts + relativedelta(years=1, days=-1),
        )  # fmt: skip
        if scene == "draft":
            return
        yield self.when({"sent": "8-8 days", "withheld": "20-40 minutes"}.get(scene, "1-1 days"))
        contracts.sign(after, by=by, signed_on=clock.today(), representative_id=by.id, stamped=True)
        yield self.when("5-40 minutes")
        contracts.send(after, by=by, sent_on=clock.today(), way="email")
        if scene == "sent":
            return
        yield self.when("1-1 days" if scene == "withheld" else "1-2 days")
        yield from self.signed(after, by, scene)
        if scene == "renewed":
            hand_out(after, installed, by=by, to=unit.contacts[0])

    def signed(self, after: Contract, by: User, scene: str) -> Life:
        """The copy is back; what follows rests on the payment."""
        contracts.copy(after, by=by, returned_on=clock.today())
        self.see_periods(after)
        self.begin(clock.now(), self.file_contract(after, by), Random(after.number))
        yield self.when("20-120 minutes")
        unit = db.session.get_one(Customer, after.customer_id)
        contracts.invoice(after, by=by, posted_on=clock.today(), invoice_title=unit.full_name, invoice_address=unit.address,
                          invoice_recipient="财务部", courier_number=f"SF{self.dice.randint(10**11, 10**12 - 1)}")  # fmt: skip
        if scene == "renewed":
            yield self.when("1-1 days")
            paying.pay(after, by=by, fen=after.amount_fen or 0, paid_on=clock.today(), way="银行转账")
            self.see_periods(after)
            yield self.when("30-300 minutes")
        elif scene in ("unpaid", "withheld"):
            yield from self.unpaid(after, by, scene)

    def unpaid(self, after: Contract, by: User, scene: str) -> Life:
        """Called once the payment is overdue; and, where that does not help, demanded, and withheld by the manager."""
        assert after.payment_due_on
        yield self.morning(self.days.add_days(self.days.next(after.payment_due_on), 1))
        paying.chase(after, by=by, words="财务说领导出差，回来就批。")
        if scene == "unpaid":
            return
        owed = Duty.subject_id == after.id, Duty.rule == "contract.demand", open_now()
        shown = db.session.scalars(select(Duty.show_from).where(*owed)).one()  # three more days (D2)
        yield self.morning(self.days.add_days(clock.local(shown).date(), 1))
        paying.demand(after, by=by)
        self.begin(clock.now(), self.send_letters(after), self.dice)
        yield self.when("1-1 days")
        paying.withhold(after, by=self.people["manager"], reason="催过电话，也发了催款函，对方没有答复。")
        self.see_periods(after)

    def see_periods(self, contract: Contract) -> None:
        """One session makes the whole year: what it knows of the periods is read again."""
        of = Installation.id.in_([one.id for one in contract.installations])
        rows = select(Installation).where(of).options(selectinload(Installation.periods))
        db.session.scalars(rows.execution_options(populate_existing=True)).all()

    def file_contract(self, contract: Contract, by: User) -> Life:
        """The signed copy goes to the archive (5.7)."""
        yield self.when("1-2 days")
        paper, archivist = papers.enter(contract, "contract", by=by), self.people["archivist"]
        papers.offer(paper, by=by, to=archivist)
        yield self.when("20-90 minutes")
        papers.archive(paper, by=archivist, place=f"{clock.today():%Y}年合同卷")

    def write_to(self, contract: Contract, reminder: str) -> Life:
        """What the program owes it, each on its day, and the call that follows the notice (5.5.2); `reminder`: what becomes of
        a reminder."""
        while duty := self._next_act(contract):
            yield max(duty.show_from, clock.now())
            acted = carry_out(duty.id, contract)
            if duty.rule == "contract.notice" and acted:
                self.begin(clock.now(), self.call_on(contract), Random(contract.number))
            yield from self.send_letters(contract, "sent" if duty.rule == "contract.notice" else reminder)
            if not acted:
                return

    def _next_act(self, contract: Contract) -> Duty | None:
        owed = select(Duty).where(Duty.subject_id == contract.id, Duty.pool == PROGRAM, open_now())
        return db.session.scalar(owed.order_by(Duty.show_from, Duty.id).limit(1))

    def send_letters(self, contract: Subject, outcome: str = "sent") -> Life:
        """What was written goes out on the next working morning; one that is posted is printed by a person."""
        yield self.morning(self.days.next(clock.today() + timedelta(days=1)))
        queued = Message.subject_id == contract.id, Message.state == MessageState.QUEUED
        for message in db.session.scalars(select(Message).where(*queued).order_by(Message.id)).all():
            try:
                made = prepare(message)
            except NotReady:
                return
            message.way, message.address, message.attempts = made.way, made.address, 1
            message.sheet_sha256 = store.put(made.sheet)
            message.mail_sha256 = store.put(made.mail) if made.mail else None
            db.session.flush()
            if made.way != Way.PAPER:
                outbox.end(message.id, MessageState(outcome), ANSWERS[outcome])
            else:
                record(MessageEvent.ON_PAPER, contract, **message.facts)
                self.begin(clock.now(), self.post(message), Random(message.id))

    def post(self, message: Message) -> Life:
        """Printed and in the post on the next working day."""
        yield self.morning(self.days.next(clock.today() + timedelta(days=1)))
        if message.state == MessageState.QUEUED:
            handling.posted(message, by=self.people["followup"])

    def call_on(self, contract: Contract) -> Life:
        yield self.morning(self.days.next(clock.today() + timedelta(days=1)))
        owed = Duty.subject_id == contract.id, Duty.rule == "call.expiry", open_now()
        if db.session.scalar(select(Duty.id).where(*owed)) is None:
            return
        followup = self.people["followup"]
        self.speak(contract, "call.expiry", followup, "函已收到，等领导批了就续。", answer=Answer.UNDECIDED)

    def sale(self, at: dict[str, Any]) -> Life:
        """A sale whose final payment is still to come in (4.specialist.6)."""
        unit = self.units[at["customer"]]
        by, today = self.owner(unit.customer), clock.today()
        contract = contracts.draft(
            by=by, customer=unit.customer, category=Kind.SALES, title=at["title"], amount_fen=at["yuan"] * 100,
            salesperson=at["salesperson"],
        )  # fmt: skip
        contracts.sign(contract, by=by, signed_on=today, representative_id=self.people["manager"].id, stamped=True)
        contracts.send(contract, by=by, sent_on=today, way="email")
        yield self.when("1-1 days")
        due = self.today + timedelta(days=at["due"])
        contracts.agree(contract, by=self.people["manager"], copy_due_on=today, payment_due_on=due, terms="验收后付清尾款")
        contracts.copy(contract, by=by, returned_on=clock.today())
        self.begin(clock.now(), self.file_contract(contract, by), Random(contract.number))
        contracts.invoice(contract, by=by, posted_on=clock.today(), invoice_title=unit.customer.full_name,
                          invoice_address=unit.customer.address, invoice_recipient="财务部")  # fmt: skip
        for yuan in at["paid"]:
            yield self.when("1-1 days")
            paying.pay(contract, by=by, fen=yuan * 100, paid_on=clock.today(), way="银行转账")
