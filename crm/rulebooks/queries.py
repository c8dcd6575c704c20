from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from dateutil.relativedelta import relativedelta
from sqlalchemy import Row, func, select
from sqlalchemy.orm import load_only

from crm import clock, lists
from crm.db import Step, db
from crm.duties import queries as duties
from crm.duties.models import Edition, Subject
from crm.errors import NotThere
from crm.rulebooks.models import Draft, DraftState, Kind, Suggestion, SuggestionState, TrialRow, TrialRun, TrialState
from crm.rulebooks.trial import What

_OWN = Suggestion.__table__.c
MOST = 200


def draft(number: str, user) -> Draft:
    found = db.session.scalar(select(Draft).where(Draft.number == number, Draft.visible(user)))
    if found is None:
        raise NotThere()
    return found


def drafts(user) -> list[Draft]:
    """Those not issued first, the newest first."""
    shown = load_only(Draft.number, Draft.title, Draft.state, Draft.base_id, Draft.issued_id, Draft.owner_id, Draft.opened_at)
    every = select(Draft).where(Draft.visible(user)).options(shown).order_by(Draft.state != DraftState.DRAFT, Draft.id.desc())
    return list(db.session.scalars(every.limit(MOST)))


def in_force() -> Edition:
    holds = Edition.holds_from <= clock.now()
    return db.session.scalars(select(Edition).where(holds).order_by(Edition.holds_from.desc()).limit(1)).one()


def to_come(draft: Draft) -> bool:
    """Whether it became an edition that does not hold yet."""
    holds = select(Edition.id).where(Edition.id == draft.issued_id, Edition.holds_from > clock.now())
    return db.session.scalar(holds) is not None


def idle() -> bool:
    """Whether nobody carries trials on: no sweep came by for a while."""
    swept = db.session.scalar(select(func.max(Step.tried_at)))
    return swept is None or swept < clock.now() - timedelta(minutes=3)


def former(edition: Edition) -> Edition | None:
    """The edition that holds, or held, until this one does."""
    if edition.holds_from is None:
        return None
    before = select(Edition).where(Edition.holds_from < edition.holds_from).order_by(Edition.holds_from.desc())
    return db.session.scalar(before.limit(1))


def edition(id: int) -> Edition:
    return db.session.get_one(Edition, id)


def taking_up(draft: Draft) -> list[Suggestion]:
    """What people suggested that a draft takes up."""
    return list(db.session.scalars(select(Suggestion).where(Suggestion.draft_id == draft.id).order_by(Suggestion.id)))


def last_quarter() -> tuple[date, date]:
    """The first and the last day of the quarter before this one."""
    today = clock.today()
    begins = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    return begins - relativedelta(months=3), begins - timedelta(days=1)


def going(draft: Draft) -> TrialRun | None:
    waits = TrialRun.state.in_([TrialState.WAITING, TrialState.RUNNING])
    return db.session.scalar(select(TrialRun).where(TrialRun.draft_id == draft.id, waits))


def last_tried(draft: Draft) -> TrialRun | None:
    """The last result; or, if there is none, that it could not be tried."""
    ended = TrialRun.state.in_([TrialState.DONE, TrialState.FAILED])
    mine = select(TrialRun).where(TrialRun.draft_id == draft.id, ended)
    return db.session.scalar(mine.order_by(TrialRun.state != TrialState.DONE, TrialRun.id.desc()).limit(1))


def result(draft: Draft, run_id: int) -> TrialRun:
    found = db.session.get(TrialRun, run_id)
    if found is None or found.draft_id != draft.id or found.state != TrialState.DONE:
        raise NotThere()
    return found


@dataclass(frozen=True)
class Behind:
    """Which rows of a result: of what, by which rule, whose."""

    what: str = What.FEWER
    rule: str = ""
    person: int | None = None

    @classmethod
    def of(cls, args, run: TrialRun) -> Self:
        """Unless the address says it, those of which there are any."""
        found = run.found.get("what", {})
        what = lists.one_of(args, "what", What) or next((one for one in What if found.get(one)), What.FEWER)
        return cls(what, args.get("rule", "")[:100], lists.key(args, "person"))


def behind(run: TrialRun, wanted: Behind, user, before: int | None = None) -> lists.Page:
    """The rows behind a number, the first first; `names`: the people, and those subjects that `user` may see."""
    rows = select(TrialRow).where(TrialRow.trial_id == run.id, TrialRow.what == wanted.what)
    if wanted.rule:
        rows = rows.where(TrialRow.rule == wanted.rule)
    if wanted.person:
        rows = rows.where(TrialRow.owner_id == wanted.person)
    if before:
        rows = rows.where(TrialRow.id > before)
    found, after = lists.cut(list(db.session.scalars(rows.order_by(TrialRow.id).limit(lists.SIZE + 1))), lambda row: row.id)
    people = duties.names(row.owner_id for row in found)
    return lists.Page(found, after, names={**people, **seen([row.subject_id for row in found], user)})


def seen(ids: Sequence[int], user) -> dict[int, duties.Name]:
    rows = select(*duties.NAME).where(Subject.id.in_(ids), duties.visible(user))
    return {row.id: duties.Name(*row) for row in db.session.execute(rows)}


def suggestion(number: str, user) -> Suggestion:
    found = db.session.scalar(select(Suggestion).where(Suggestion.number == number, Suggestion.visible(user)))
    if found is None:
        raise NotThere()
    return found


@dataclass(frozen=True)
class Filter:
    """What the list of suggestions is narrowed by."""

    kind: str = ""
    state: str = ""
    owner: int | None = None
    clause: str = ""

    @classmethod
    def of(cls, args, user) -> Self:
        owner = user.id if args.get("owner") == "me" else lists.key(args, "owner")
        kind, state = lists.one_of(args, "kind", Kind), lists.one_of(args, "state", SuggestionState)
        return cls(kind, state, owner, args.get("clause", "")[:50])

    @property
    def any(self) -> bool:
        return self != Filter()


def listing(user, wanted: Filter, before: int | None = None, size: int = lists.SIZE) -> lists.Page:
    """Fifty suggestions and objections, the newest first."""
    ids = select(Subject.id).where(Subject.kind == "suggestion", Suggestion.visible(user))
    for value, column in ((wanted.kind, Subject.category), (wanted.state, Subject.state), (wanted.owner, Subject.owner_id)):
        if value:
            ids = ids.where(column == value)
    if wanted.clause:
        ids = ids.where(Subject.id.in_(select(_OWN.id).where(_OWN.clause == wanted.clause)))
    rows, after, count = lists.page_of(ids, _loaded, before=before, size=size)
    return lists.Page(rows, after, count, duties.names(row.owner_id for row in rows))


def _loaded(ids: list[int]) -> Sequence[Row]:
    shown = (Subject.id, Subject.number, Subject.title, Subject.state, Subject.category, Subject.owner_id, Subject.opened_at,
             _OWN.clause, _OWN.answer, _OWN.draft_id)  # fmt: skip
    rows = select(*shown).join(Suggestion.__table__, _OWN.id == Subject.id).where(Subject.id.in_(ids))
    return db.session.execute(rows.order_by(Subject.id.desc())).all()
