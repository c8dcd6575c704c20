"""A paper's moves, one function a verb (5.7): it passes from hand to hand, and both sides confirm."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import select

from crm import clock
from crm.db import db, next_number
from crm.duties.editions import book_of
from crm.duties.locks import lock
from crm.duties.models import Event, Subject
from crm.duties.record import open_subject, record
from crm.errors import Forbidden, Invalid, Refused
from crm.files.workflow import attach
from crm.labels import N_
from crm.papers import queries
from crm.papers.models import Paper, PaperEvent, State
from crm.papers.moves import MOVES
from crm.permissions import Permission as P
from crm.permissions import Role


class Known(Refused):
    """The paper stands on the register already."""

    def __init__(self, paper: Paper, by) -> None:
        seen = select(Paper.id).where(Paper.id == paper.id, Paper.visible(by))
        named = N_("This paper is on the register already: %(number)s. Have it handed over to you there.")
        super().__init__(
            named if db.session.scalar(seen) else N_("This paper is on the register already."), number=paper.number
        )


def enter(origin: Subject, kind: str, *, by, title: str = "", sheets: int = 1, files: Iterable[str] = ()) -> Paper:
    """Put a paper on the register: whoever enters it has it in hand. One that is there and not yet archived is not
    entered a second time (Known)."""
    lock(origin)
    if there := live(origin, kind):
        raise Known(there, by)
    paper = _new(origin, kind, by, title=title, sheets=sheets, state=State.HELD, entered_by_id=by.id)
    record(PaperEvent.ENTERED, paper, by=by, rule=_rule(origin, kind))
    if _arrives(paper, by):
        record(PaperEvent.HANDED_IN, paper, by=by, rule=_rule(origin, kind), to=by.id)
    _attach(paper, by, files)
    return paper


def not_there(origin: Subject, kind: str, *, by, reason: str) -> Paper:
    """There never was such a paper, the scan having come by e-mail: nobody owes it any more. Not for who owes it."""
    lock(origin)
    if there := live(origin, kind):
        raise Known(there, by)
    if by.id in _owners(origin):
        raise Forbidden(N_("Whoever owes a paper does not say that there is none: let another manager look."))
    paper = _new(origin, kind, by, title="", sheets=1, state=State.VOID)
    record(PaperEvent.NOT_THERE, paper, by=by, reason=reason, rule=_rule(origin, kind))
    return paper


def _owners(origin: Subject) -> set[int | None]:
    """In whose hands it is, and was."""
    handed = select(Event.facts).where(Event.subject_id == origin.id, Event.kind.like("%.assigned"))
    return {origin.owner_id, *(facts.get("from") for facts in db.session.scalars(handed))}


def live(origin: Subject, kind: str) -> Paper | None:
    """The paper of this kind that is on its way: neither archived nor gone."""
    under_way = Paper.state.in_([State.HELD, State.OFFERED])
    same = select(Paper).where(Paper.origin_id == origin.id, Paper.category == kind, under_way)
    there = list(db.session.scalars(same.order_by(Paper.id.desc())))
    over = queries.void(there)
    return next((paper for paper in there if paper.id not in over), None)


def _new(origin: Subject, kind: str, by, *, title: str, **columns: Any) -> Paper:
    unit = origin.id if origin.kind == "customer" else origin.customer_id
    paper = Paper(
        number=next_number("P", clock.today()), category=kind, title=title or origin.title, origin_id=origin.id,
        customer_id=unit, owner_id=by.id, **columns,
    )  # fmt: skip
    open_subject(paper)
    return paper


def _rule(origin: Subject, kind: str) -> str:
    """The one rule of what the paper belongs to that is meant by what happens to the paper: there may be several papers."""
    book = book_of(origin)
    rule = book.paper_rule(kind) if book else None
    return rule.key if rule else ""


def _happened(kind: str, paper: Paper, by, **facts: Any) -> None:
    """What happens to a paper says which duty it concerns: none, once what it was printed for is void."""
    origin = db.session.get_one(Subject, paper.origin_id)
    rule = "" if paper.id in queries.void([paper]) else _rule(origin, paper.category)
    record(kind, paper, by=by, rule=rule, **facts)


def _pass_on(paper: Paper, to_id: int) -> None:
    if paper.owner_id != to_id:
        paper.owner_id, paper.entered_by_id = to_id, None
    paper.concerned_id = None


def offer(paper: Paper, *, by, to, words: str = "") -> None:
    """Hand it to somebody, who confirms. Until then it is in the giver's hands."""
    MOVES["offer"].apply(paper, by)
    if to.id == by.id or not to.may(P.PAPER_HOLD):
        raise Invalid(fields={"to": N_("Choose somebody else who may hold papers.")})
    paper.concerned_id = to.id
    _happened(PaperEvent.OFFERED, paper, by, **{"from": by.id, "to": to.id}, **_said(words))
    if to.may(P.PAPER_ARCHIVE) and _kept_by_bringing(paper):
        _happened(PaperEvent.BROUGHT, paper, by, to=to.id)


def _kept_by_bringing(paper: Paper) -> bool:
    """Whether who brings it to the archive has done their part, however long the archive takes."""
    book = book_of(db.session.get_one(Subject, paper.origin_id))
    rule = book.paper_rule(paper.category) if book else None
    return rule is not None and PaperEvent.BROUGHT in rule.keeps


def _arrives(paper: Paper, by) -> bool:
    """Whether it is meant for customer relations and they have it now."""
    book = book_of(paper)
    kind = book.papers.get(paper.category) if book else None
    return kind is not None and kind.to == "relations" and Role.FOLLOWUP in by.roles


def take(paper: Paper, *, by) -> None:
    """Confirm that one has it. What is meant for customer relations is handed in once they have it (5.7.2)."""
    MOVES["take"].apply(paper, by)
    giver = paper.owner_id
    _pass_on(paper, by.id)
    event = PaperEvent.HANDED_IN if _arrives(paper, by) else PaperEvent.TAKEN
    _happened(event, paper, by, **{"from": giver, "to": by.id})


def decline(paper: Paper, *, by, words: str) -> None:
    MOVES["decline"].apply(paper, by)
    paper.concerned_id = None
    _happened(PaperEvent.DECLINED, paper, by, words=words)


def withdraw(paper: Paper, *, by) -> None:
    MOVES["withdraw"].apply(paper, by)
    paper.concerned_id = None
    _happened(PaperEvent.WITHDRAWN, paper, by)


def archive(paper: Paper, *, by, place: str) -> None:
    """Into its place, out of one's own hands or straight from whoever hands it over."""
    MOVES["archive"].apply(paper, by)
    giver = paper.owner_id
    _pass_on(paper, by.id)
    paper.place, paper.entered_by_id = place, None
    _happened(PaperEvent.ARCHIVED, paper, by, **{"from": giver, "to": by.id}, place=place)


def lend(paper: Paper, *, by, to, until: date, words: str = "") -> None:
    """To somebody until a day: they owe it back by then."""
    MOVES["lend"].apply(paper, by)
    wrong = {}
    if not to.may(P.PAPER_HOLD):
        wrong["to"] = N_("Choose somebody who may hold papers.")
    if until < clock.today():
        wrong["until"] = N_("This lies in the past.")
    if wrong:
        raise Invalid(fields=wrong)
    _pass_on(paper, to.id)
    paper.lent_until = until
    _happened(PaperEvent.LENT, paper, by, **{"from": by.id, "to": to.id}, until=until, **_said(words))


def give_back(paper: Paper, *, by) -> None:
    MOVES["give_back"].apply(paper, by)
    _happened(PaperEvent.GIVEN_BACK, paper, by)


def reshelve(paper: Paper, *, by, place: str) -> None:
    """The archivist confirms that a lent paper is back."""
    MOVES["reshelve"].apply(paper, by)
    giver = paper.owner_id
    _pass_on(paper, by.id)
    paper.place, paper.lent_until = place, None
    _happened(PaperEvent.RETURNED, paper, by, **{"from": giver, "to": by.id}, place=place)


def miss(paper: Paper, *, by, words: str) -> None:
    MOVES["miss"].apply(paper, by)
    _happened(PaperEvent.MISSED, paper, by, words=words)


def lose(paper: Paper, *, by, words: str) -> None:
    """It is gone. The event names its holder and, where the clause says so, what that costs (7.3: a sheet); nobody is
    fined here."""
    MOVES["lose"].apply(paper, by)
    paper.concerned_id = paper.lent_until = paper.entered_by_id = None
    _happened(PaperEvent.LOST, paper, by, owner=paper.owner_id, words=words, **cost(paper))


def see(paper: Paper, *, by) -> None:
    """A manager knows of the loss, never the one who lost it; what it costs is decided by a penalty (7.3)."""
    MOVES["see"].apply(paper, by)
    _happened(PaperEvent.LOSS_SEEN, paper, by)


def cost(paper: Paper) -> dict[str, Any]:
    """What its loss costs by the rules it lives under."""
    book = book_of(paper)
    rule = book.paper_rule(paper.category) if book else None
    if not book or not rule or not rule.lost:
        return {}
    return {"fine_clause": rule.lost, "fine_fen": (book.penalties[rule.lost].fen or 0) * paper.sheets}


def find(paper: Paper, *, by, words: str) -> None:
    """It is there again, in the finder's hands, and is owed again. What was said of its loss stays; people decide what
    becomes of that."""
    MOVES["find"].apply(paper, by)
    _pass_on(paper, by.id)
    book = book_of(paper)
    applied = book is not None and any(one.paper == paper.category for one in book.categories.values())
    _happened(PaperEvent.FOUND, paper, by, words=words, **({"purpose": "application"} if applied else {}))


def fetch(paper: Paper, *, by, words: str) -> None:
    """Who archives takes over what somebody held who has left."""
    MOVES["fetch"].apply(paper, by)
    holder_id = paper.owner_id
    _pass_on(paper, by.id)
    paper.lent_until = paper.entered_by_id = None
    _happened(PaperEvent.FETCHED, paper, by, **{"from": holder_id, "to": by.id}, words=words)


def void(paper: Paper, *, by, reason: str) -> None:
    MOVES["void"].apply(paper, by)
    paper.entered_by_id = None
    _happened(PaperEvent.VOIDED, paper, by, reason=reason)


def note(paper: Paper, *, by, words: str, files: Iterable[str] = ()) -> None:
    record(PaperEvent.NOTED, paper, by=by, words=words)
    _attach(paper, by, files)


def _attach(paper: Paper, by, files: Iterable[str]) -> None:
    for file in attach(files, paper, by):
        record(PaperEvent.ATTACHED, paper, by=by, file=file.key, name=file.name)


def _said(words: str) -> dict[str, str]:
    return {"words": words} if words else {}
