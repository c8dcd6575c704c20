from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Select, and_, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from crm.duties.models import Subject
from crm.duties.seeing import together
from crm.labels import N_, Labelled
from crm.permissions import Permission, by_reader
from crm.search import Entry

PASSWORD = "password_application"  # seen by fewer, as its record is (5.1.4.3)
SECRET = "admin_password"  # the category of such a record, whatever paper belongs to it
DESK = ("ticket", "visit", "customer", "contract", "change", "implementation", "installation", "callback")  # read by all at it
MOST_SHEETS = 99


class State(Labelled):
    HELD = "held", N_("In somebody's hands")
    OFFERED = "offered", N_("Being handed over")
    ARCHIVED = "archived", N_("Archived")
    LENT = "lent", N_("Lent")
    RETURNED = "returned", N_("Given back, to be confirmed")
    LOST = "lost", N_("Lost")
    VOID = "void", N_("Void")


class PaperEvent(Labelled):
    ENTERED = "paper.entered", N_("has the paper now")
    OFFERED = "paper.offered", N_("began to hand the paper over")
    BROUGHT = "paper.brought", N_("brought the paper to the archive")
    TAKEN = "paper.taken", N_("confirmed having the paper")
    HANDED_IN = "paper.handed_in", N_("took the paper in for customer relations")
    DECLINED = "paper.declined", N_("did not take the paper")
    WITHDRAWN = "paper.withdrawn", N_("kept the paper after all")
    ARCHIVED = "paper.archived", N_("archived the paper")
    LENT = "paper.lent", N_("lent the paper")
    GIVEN_BACK = "paper.given_back", N_("gave the paper back")
    RETURNED = "paper.returned", N_("put the paper back in its place")
    MISSED = "paper.missed", N_("did not get the paper back")
    LOST = "paper.lost", N_("declared the paper lost")
    LOSS_SEEN = "paper.loss_seen", N_("looked at the loss")
    FETCHED = "paper.fetched", N_("took the paper over from somebody who has left")
    FOUND = "paper.found", N_("found the paper again")
    VOIDED = "paper.voided", N_("had entered the paper by mistake")
    NOT_THERE = "paper.not_there", N_("said that there is no such paper")
    NOTED = "paper.noted", N_("added a note")
    ATTACHED = "paper.attached", N_("attached a file")


class Paper(Subject):
    """One paper form, from the moment somebody has it in hand. `category` is its kind, `origin_id` what it belongs to,
    `owner_id` who holds it, `concerned_id` whom it is being handed to."""

    __tablename__ = "papers"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # while nobody else has had it
    sheets: Mapped[int] = mapped_column(default=1)
    place: Mapped[str] = mapped_column(default="")  # where in the archive
    lent_until: Mapped[date | None]

    __table_args__ = (CheckConstraint(f"sheets BETWEEN 1 AND {MOST_SHEETS}", name="sheets"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {"polymorphic_identity": "paper", "inherit_condition": id == Subject.id}
    noun = "papers"
    label = N_("Paper form")
    EVENTS = PaperEvent
    STATES = State
    DATES = ("lent_until",)
    NOTICES: ClassVar[dict[str, str]] = {
        PaperEvent.OFFERED: "to", PaperEvent.TAKEN: "from", PaperEvent.HANDED_IN: "from", PaperEvent.ARCHIVED: "from",
        PaperEvent.DECLINED: "owner", PaperEvent.LENT: "to", PaperEvent.MISSED: "owner", PaperEvent.LOST: "owner",
    }  # fmt: skip
    SEARCHED = frozenset({PaperEvent.ENTERED, PaperEvent.NOT_THERE})

    def searched(self) -> Iterator[Entry]:
        yield Entry("paper", (self.number,), "", self.title)

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"lent_until": self.lent_until}

    @classmethod
    def odd(cls) -> Mapping[str, ColumnElement[bool]]:
        out = cls.state.in_([State.LENT, State.RETURNED])
        return {
            "a paper is handed to somebody while it is being handed over, and only then":
                (cls.state == State.OFFERED) != cls.concerned_id.is_not(None),
            "an archived paper has its place": and_(cls.state == State.ARCHIVED, cls.place == ""),
            "a paper has a day to come back on while it is lent, and only then": out != cls.lent_until.is_not(None),
        }  # fmt: skip

    @classmethod
    @by_reader
    def visible(cls, user) -> ColumnElement[bool]:
        """The desk sees all but others' password applications; who leads and who archives, those too; a developer what
        they hold or are handed. A paper of what few read is theirs alone, and of whoever holds it."""
        if not user.may(Permission.PAPER_READ):
            return false()
        mine = or_(Subject.owner_id == user.id, Subject.concerned_id == user.id)
        keeps = user.may(Permission.PAPER_ARCHIVE) or user.may(Permission.TICKET_ASSIGN)
        if not keeps and not user.may(Permission.CUSTOMER_READ):
            return mine
        of = Subject.__table__.alias("belongs_to")
        plain = and_(Subject.category != PASSWORD, or_(of.c.kind != "ticket", of.c.category != SECRET))
        # asked of the one subject a paper belongs to: for an IN or EXISTS PostgreSQL would gather all of somebody's first
        desk = of.c.kind.in_(DESK) if keeps else and_(of.c.kind.in_(DESK), or_(of.c.owner_id == user.id, plain))
        at_the_desk = select(desk).where(of.c.id == Subject.origin_id).correlate(Subject.__table__).scalar_subquery()
        alone = Subject.origin_id.is_(None) if keeps else false()
        return or_(mine, alone, at_the_desk, Subject.origin_id.in_(_read_by_few(user)))


def _read_by_few(user) -> Select:
    """What `user` reads of the kinds that not everybody at the desk does."""
    few = [kind for kind in Subject.__subclasses__() if kind.__mapper__.polymorphic_identity not in (*DESK, "paper")]
    return select(Subject.id).where(together(few, lambda kind: kind.whole(user))).correlate(None)
