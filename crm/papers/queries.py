from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, or_, select, true
from sqlalchemy.orm import aliased, joinedload

from crm import lists
from crm.db import db
from crm.duties import editions
from crm.duties import queries as duties
from crm.duties.models import Duty, Event, Subject, open_now
from crm.duties.rulebook import PaperKind, Rule
from crm.errors import NotThere
from crm.papers.models import DESK, Paper, State
from crm.permissions import Permission
from crm.staff.models import UserState


def get(number: str, user) -> Paper:
    """A paper as far as `user` may see it."""
    paper = db.session.scalar(select(Paper).where(Paper.number == number, Paper.visible(user)))
    if paper is None:
        raise NotThere()
    return paper


def kinds() -> Mapping[str, PaperKind]:
    return editions.todays().papers


@dataclass(frozen=True)
class Filter:
    """What the list of papers is narrowed by; empty means all. `belongs`: the number of what they belong to."""

    state: str = ""
    kind: str = ""
    owner: int | None = None
    offered: str = ""
    customer: str = ""
    belongs: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str], user) -> Self:
        mine = user.id if args.get("owner") == "me" else None
        return cls(
            lists.one_of(args, "state", State), lists.one_of(args, "kind", kinds()), mine or lists.key(args, "owner"),
            lists.one_of(args, "offered", ["me"]), lists.words(args, "customer"), args.get("belongs", "")[:20],
        )  # fmt: skip

    @property
    def any(self) -> bool:
        return self != Filter()


def ids(user, wanted: Filter) -> Select:
    """The keys of all papers that fit."""
    ids = select(Subject.id).where(Subject.kind == "paper", Paper.visible(user))
    for value, column in ((wanted.state, Subject.state), (wanted.kind, Subject.category), (wanted.owner, Subject.owner_id)):
        if value:
            ids = ids.where(column == value)
    if wanted.offered:
        ids = ids.where(Subject.concerned_id == user.id)
    if wanted.belongs:
        table = Subject.__table__.alias()
        number = select(table.c.id).where(table.c.number == wanted.belongs).scalar_subquery()
        ids = ids.where(Subject.origin_id == number)
    if wanted.customer:
        ids = ids.where(_of_customer(wanted.customer))
    return ids


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty papers, the newest first."""
    rows, after, count = lists.page_of(ids(user, wanted), _loaded, before=before, size=size)
    names = duties.names(id for row in rows for id in (row.customer_id, row.owner_id, row.origin_id))
    return lists.Page(rows, after, count, names)


def _of_customer(words: str) -> ColumnElement[bool]:
    """By number, or by words of the name a list shows: who keeps the papers need not read the customers."""
    unit = Subject.__table__.alias()
    found = or_(unit.c.number == words.upper(), unit.c.title.icontains(words, autoescape=True))
    return Subject.customer_id.in_(select(unit.c.id).where(unit.c.kind == "customer", found))


def _loaded(ids: list[int]) -> list[Row[Any]]:
    table, at = Subject.__table__.c, Paper.__table__.c
    shown = (table.id, table.number, table.title, table.state, table.category, table.customer_id, table.owner_id,
             table.origin_id, table.opened_at, at.place, at.lent_until, at.sheets)  # fmt: skip
    rows = select(*shown).join(Paper.__table__, at.id == table.id).where(table.id.in_(ids))
    return list(db.session.execute(rows.order_by(table.id.desc())))


@dataclass(frozen=True)
class Expected:
    """A paper that is owed: the open duty, its rule, and the paper if it is on the register already."""

    duty: Duty
    rule: Rule
    paper: Paper | None


@dataclass(frozen=True)
class Of:
    """The papers of one subject: those that are there, and what is expected and nobody has yet."""

    there: Sequence[Paper]
    expected: Sequence[Expected]
    names: Mapping[int, duties.Name]


def void(papers: Sequence[Paper]) -> set[int]:
    """Of these papers, those whose request was voided or cancelled after they were entered: they count for nothing now.
    An event that both opens and drops leaves its paper as good as it was."""
    ends = {
        rule.paper: [kind for kind in rule.drops if kind not in rule.opens and not kind.startswith("paper.")]
        for rule in editions.todays().rules.values() if rule.paper
    }  # fmt: skip
    asked = [paper.id for paper in papers if ends.get(paper.category)]
    if not asked:
        return set()
    own = aliased(Event)
    entered = select(func.min(own.id)).where(own.subject_id == Paper.id).scalar_subquery()
    later = or_(*(and_(Subject.category == kind, Event.kind.in_(kinds)) for kind, kinds in ends.items() if kinds))
    found = select(Paper.id).join(Event, Event.subject_id == Subject.origin_id)
    return set(db.session.scalars(found.where(Paper.id.in_(asked), later, Event.id > entered).distinct()))


def gone(holder: Subject) -> bool:
    """Whether who holds a paper has left."""
    return holder.kind == "user" and holder.state != UserState.ACTIVE


_THERE = (
    select(Paper).where(Paper.origin_id == bindparam("origin"), Paper.state != State.VOID).order_by(Paper.id.desc()).limit(20)
)


def of(subject: Subject, owed: Sequence[Duty], user, below: Collection[str]) -> Of | None:
    """For the card on a subject's page; none where `user` sees no papers. `below`: of which kinds is what came of it."""
    if not user.may(Permission.PAPER_READ):
        return None
    seen = _THERE.where(Paper.visible(user))
    there = list(db.session.scalars(seen, {"origin": subject.id})) if "paper" in below else []
    live = [one for one in there if one.state in (State.HELD, State.OFFERED)]
    over = void(live)
    known = {one.category for one in live if one.id not in over}
    expected = [Expected(duty, rule, None) for duty in owed if duty.open and (rule := rule_of(duty)).paper]
    names = duties.names(id for one in there for id in (one.owner_id, one.concerned_id))
    return Of(there, [one for one in expected if one.rule.paper not in known], names)


def rule_of(duty: Duty) -> Rule:
    return editions.book(duty.edition_id).rules[duty.rule]


def _expecting(user) -> ColumnElement[bool]:
    """Duties of which `user` may know: those of subjects they see; who archives knows what is on its way to them."""
    if user.may(Permission.PAPER_ARCHIVE):
        return true()
    return select(Subject.id).where(Subject.id == Duty.subject_id, duties.visible(user)).correlate(Duty).exists()


def _rules() -> list[str]:
    return [rule.key for rule in editions.todays().rules.values() if rule.paper]


def expected(user, to: str = "") -> list[Expected]:
    """What is expected and not yet where it belongs, the longest first; `to` the archive or to customer relations."""
    rules = [key for key in _rules() if not to or kinds()[editions.todays().rules[key].paper].to == to]
    rows = select(Duty).where(Duty.rule.in_(rules), open_now(), _expecting(user)).options(joinedload(Duty.subject))
    owed = list(db.session.scalars(rows.order_by(Duty.show_from, Duty.id).limit(duties.MOST)))
    under_way = select(Paper).where(Paper.origin_id.in_({duty.subject_id for duty in owed}), Paper.visible(user))
    held = under_way.where(Paper.state.in_([State.HELD, State.OFFERED])).order_by(Paper.id)
    there = list(db.session.scalars(held)) if owed else []
    over = void(there)
    papers = {(paper.origin_id, paper.category): paper for paper in there if paper.id not in over}
    return [Expected(duty, rule, papers.get((duty.subject_id, rule.paper))) for duty in owed if (rule := rule_of(duty))]


def out(user) -> list[Paper]:
    """What is lent and not back, the longest overdue first."""
    lent = select(Paper).where(Paper.state.in_([State.LENT, State.RETURNED]), Paper.visible(user))
    return list(db.session.scalars(lent.order_by(Paper.lent_until, Paper.id).limit(duties.MOST)))


def belonging(number: str, user) -> Subject:
    """What a paper may belong to: a subject one sees; who archives also meets those of which papers come to them."""
    found = select(Subject).where(Subject.number == number.strip().upper(), Subject.kind.not_in(["paper", "user", "edition"]))
    subject = db.session.scalar(found)
    if subject is None:
        raise NotThere()
    seen = db.session.scalar(select(Subject.id).where(Subject.id == subject.id, duties.whole(user)))
    if seen is None and not (user.may(Permission.PAPER_ARCHIVE) and subject.kind in DESK and _has_papers(subject)):
        raise NotThere()
    return subject


def _has_papers(subject: Subject) -> bool:
    owed = select(Duty.id).where(Duty.subject_id == subject.id, Duty.rule.in_(_rules()))
    there = select(Subject.id).where(Subject.kind == "paper", Subject.origin_id == subject.id)
    return any(db.session.scalar(one.limit(1)) is not None for one in (owed, there))


def newest(subject: Subject, kind: str, user) -> Paper | None:
    """The paper of a kind that a subject has; the newest, and rather one that is not lost."""
    rows = select(Paper).where(Paper.origin_id == subject.id, Paper.state != State.VOID, Paper.visible(user))
    if kind:
        rows = rows.where(Paper.category == kind)
    return db.session.scalar(rows.order_by(Paper.state == State.LOST, Paper.id.desc()).limit(1))


def expected_of(subject: Subject) -> str:
    """The one kind of paper that is expected of a subject, if it is one."""
    rows = select(Duty).where(Duty.subject_id == subject.id, Duty.rule.in_(_rules()), open_now())
    owed = list(db.session.scalars(rows.limit(2)))
    return rule_of(owed[0]).paper if len(owed) == 1 else ""


def may_see(ids: Sequence[int | None], user) -> set[int]:
    """Which of these subjects a reader may open: others are named, and lead nowhere."""
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return set()
    return set(db.session.scalars(select(Subject.id).where(Subject.id.in_(wanted), duties.visible(user))))

