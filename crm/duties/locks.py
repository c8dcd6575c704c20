"""Who records on a subject holds it until the transaction ends; what a transaction has opened or holds already, it knows.
Who holds several takes the later one first, as an event is carried up from what came of another: nobody waits crosswise.
What takes turns by a person, as what is said about one, holds that person first of all."""

from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, event, inspect, select
from sqlalchemy.orm import Session, SessionTransaction

from crm.db import db
from crm.duties.models import Subject

# What each transaction under way has opened, and whether an event of it is recorded: nobody else sees it, so there is
# nothing to lock, and before its first event nothing it owes.
_opened: WeakKeyDictionary[SessionTransaction, dict[int, bool]] = WeakKeyDictionary()
# What it has locked already; by savepoint, for going back to one lets go of what was locked since.
_locked: WeakKeyDictionary[SessionTransaction, set[int]] = WeakKeyDictionary()


def opened_here() -> dict[int, bool]:
    transaction = db.session().get_transaction()
    return _opened.setdefault(transaction, {}) if transaction else {}


def _locked_here() -> set[int]:
    session = db.session()
    transaction = session.get_nested_transaction() or session.get_transaction()
    return _locked.setdefault(transaction, set()) if transaction else set()


@event.listens_for(Session, "after_soft_rollback")
def _forget_locked(session: Session, _ended: SessionTransaction) -> None:
    """What was read in a savepoint that is gone is read again, under whichever lock."""
    for transaction in (session.get_nested_transaction(), session.get_transaction()):
        if transaction is not None:
            _locked.pop(transaction, None)


def lock(subject: Subject) -> None:
    """Nobody else records on this subject until the transaction ends; what was read of it before is read again, all of
    its columns: what is said of it from here on, in the search too, is what holds. Both of its tables are locked, for
    PostgreSQL waits and then gives the newest row only of those it locks. Once in a transaction is enough."""
    db.session.flush()
    if subject.id in opened_here() or subject.id in _locked_here():
        return
    kind = subject.__class__  # which of a proxy such as current_user is its subject's
    db.session.refresh(subject, inspect(kind).column_attrs.keys(), with_for_update={"key_share": True, "of": [Subject, kind]})
    _locked_here().add(subject.id)


def lock_each(*subjects: Subject) -> None:
    """The same of several, the later one first."""
    for one in sorted(subjects, key=lambda one: one.id, reverse=True):
        lock(one)


def lock_all(which: ColumnElement[bool]) -> None:
    """The same of all of some kind, the later one first. What was read of them before, the caller reads again."""
    ids = select(Subject.id).where(which).order_by(Subject.id.desc())
    db.session.execute(ids.with_for_update(key_share=True, of=Subject)).all()


def locked(kind: str, subject_id: int) -> Subject:
    """A subject of a kind, locked as it is read."""
    its: type[Subject] = Subject.__mapper__.polymorphic_map[kind].class_
    update = {"key_share": True, "of": [Subject, its]}
    found = db.session.get_one(its, subject_id, populate_existing=True, with_for_update=update)
    _locked_here().add(subject_id)
    return found
