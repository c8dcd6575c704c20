"""How far a contract has come, step by step; and the renewals of a month, each in the lane of its step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta
from flask_babel import gettext as _

from crm import clock
from crm.contracts import queries, sums, terms
from crm.contracts.models import OWING, Answer, Contract, Kind, State
from crm.duties import queries as duties
from crm.labels import N_, Labelled


def standing(one: Any) -> str:
    """How a contract, or a row of one, stands, in words: what is paid and has not begun says when it does, a sale that is paid
    says so."""
    if one.state == State.RUNNING and one.category == Kind.SALES:
        return _("Paid in full")
    if one.state == State.RUNNING and one.starts_on and one.starts_on > clock.today():
        return _("Begins on %(day)s", day=one.starts_on)
    return _(State(one.state).label)


@dataclass(frozen=True)
class Step:
    label: str
    day: date | None
    done: bool


def steps(contract: Contract, open_fen: int) -> list[Step]:
    """From the negotiation to the period in force, which a sale has not; a step that was passed over shows no day."""
    paid = contract.returned_on is not None and not open_fen
    last = max((one.paid_on for one in contract.payments), default=contract.returned_on) if paid else None
    days = (
        (N_("Signed by us"), contract.signed_on), (N_("Sent"), contract.sent_on), (N_("Copy back"), contract.returned_on),
        (N_("Invoice posted"), contract.invoice_posted_on), (N_("Paid"), last),
    )  # fmt: skip
    negotiated = Step(N_("Negotiated"), None, contract.signed_on is not None or contract.returned_on is not None)
    return [negotiated, *(Step(label, day, day is not None) for label, day in days), *_begun(contract)]


def _begun(contract: Contract) -> list[Step]:
    if contract.category != Kind.SERVICE:
        return []
    settled = contract.state in (State.RUNNING, State.RENEWED) and contract.starts_on is not None
    if settled and contract.starts_on > clock.today():
        return [Step(N_("Begins"), contract.starts_on, False)]
    return [Step(N_("In force"), contract.starts_on if settled else None, settled)]


class Lane(Labelled):
    """Where a renewal stands."""

    WAITING = "waiting", N_("To be renewed")
    DRAFT = "draft", N_("Being negotiated")
    SIGNED = "signed", N_("Signed by us")
    SENT = "sent", N_("Sent")
    RETURNED = "returned", N_("To be paid")
    RUNNING = "running", N_("In force")
    GONE = "gone", N_("Lapsed")


class Mark(Labelled):
    """What is to be known of a renewal beside its step."""

    LEAVES = "leaves", N_("will not renew")
    WITHHELD = "withheld", N_("withheld")
    UNPAID = "unpaid", N_("not paid")


@dataclass(frozen=True)
class Card:
    """One renewal: the contract that ends, and the one that follows it, if it was begun; `paid`: what came in for that."""

    before: Any
    after: Any
    paid: int = 0

    @property
    def unpaid(self) -> bool:
        """In force, or renewed itself, before it was paid in full (5.2.7)."""
        going_on = self.after is not None and self.after.state in (State.RUNNING, State.RENEWED)
        return going_on and sums.open_fen(self.after, self.paid) > 0

    @property
    def marks(self) -> list[Mark]:
        signed = self.after is not None and self.after.state in OWING
        leaves = self.before.answer == Answer.LEAVES and not signed and self.before.state != State.RENEWED
        withheld = signed and self.after.withheld_at is not None
        said = ((Mark.LEAVES, leaves), (Mark.WITHHELD, withheld), (Mark.UNPAID, self.unpaid))
        return [mark for mark, holds in said if holds]

    @property
    def expected(self) -> int | None:
        """What it brings; as long as nothing else was negotiated, what the one before brought a year. None: nobody knows."""
        return self.after.amount_fen if self.after else terms.yearly(self.before)

    @property
    def fen(self) -> int:
        return self.expected or 0

    @property
    def lane(self) -> Lane:
        if self.after and self.after.state != State.DECLINED:
            passed = {State.RENEWED: Lane.RUNNING, State.LAPSED: Lane.GONE}
            return passed.get(self.after.state) or Lane(self.after.state)
        if self.before.state == State.RENEWED and not self.after:  # by a period from before the program
            return Lane.RUNNING
        return Lane.GONE if self.before.state == State.LAPSED or self.after else Lane.WAITING


@dataclass(frozen=True)
class Month:
    """The renewals of a month, by lane."""

    first: date
    cards: dict[Lane, list[Card]] = field(default_factory=dict)
    names: dict[int, duties.Name] = field(default_factory=dict)

    def fen(self, lane: Lane) -> int:
        return sum(card.fen for card in self.cards[lane])

    @property
    def expected(self) -> int:
        """All but what is gone."""
        return sum(self.fen(lane) for lane in Lane if lane is not Lane.GONE)

    @property
    def count(self) -> int:
        return sum(map(len, self.cards.values()))

    def by(self, months: int) -> str:
        """Another month, as the address says it."""
        return f"{self.first + relativedelta(months=months):%Y-%m}"


def month(first: date, user) -> Month:
    """Every service contract that ends in the month, by how far its renewal has come."""
    ending = queries.ending_in(first, first + relativedelta(months=1, days=-1), user)
    after = queries.renewals_of([row.id for row in ending], user)
    paid = sums.paid_of(one.id for one in after.values())
    cards: dict[Lane, list[Card]] = {lane: [] for lane in Lane}
    for row in ending:
        card = Card(row, then := after.get(row.id), paid.get(then.id, 0) if then else 0)
        cards[card.lane].append(card)
    return Month(first, cards, duties.names(_ids(ending)))


def _ids(rows: Sequence[Any]) -> list[int]:
    return [id for row in rows for id in (row.customer_id, row.owner_id) if id]
