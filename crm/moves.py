"""A move: one arrow of a workflow's table. Buttons, checks, documentation and tests all read the same table."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect, update

from crm.db import db, rows_of
from crm.errors import Forbidden, Invalid, Refused, Stale, WrongState
from crm.labels import N_
from crm.permissions import Permission, Role


@dataclass(frozen=True, kw_only=True)
class Move:
    """From which states to which; who may: the owner with `permission`, anybody with `over`."""

    noun: str  # what is posted: POST /<subjects>/<number>/<noun>
    label: str  # on the button: what it does
    froms: frozenset[str]
    to: str | frozenset[str] | None  # None: the state stays; several: its workflow says which
    permission: Permission
    over: Permission | None = None  # may do it to another's, too; None: `permission` reaches everybody's
    own: bool = False  # nobody but the owner
    hands: tuple[str, ...] = ()  # nobody but whom one of these columns names; in another state they name nobody for it
    others: bool = False  # never whoever asked for it (ours.approval), whatever they may besides
    bars: tuple[str, ...] = ()  # nor whom one of these columns names, nor who stands in for them
    asks: bool = True  # needs words; else the button alone is enough
    unless: Callable[[Any, Any], Refused | None] | None = None  # of a subject and who would: why it cannot be done all the same
    owed: str = ""  # only while a duty of this rule is open, or of one of these
    done: str = ""  # what its page says afterwards
    icon: str = ""
    tone: str = field(default="secondary")

    def may(self, user, subject) -> bool:
        return self._reaches(user, subject) and not self.barred(user, subject)

    @property
    def rights(self) -> frozenset[Permission]:
        """One of which is needed."""
        return frozenset({self.permission, self.over} - {None})

    def barred(self, user, subject) -> bool:
        """Whether it is for others than this person."""
        named = {getattr(subject, name) for name in self.bars}
        if user.id in named or (named and named & set(user.cover.people)):
            return True
        return self.others and (user.id in subject.askers or in_askers_place(user, subject))

    def _reaches(self, user, subject) -> bool:
        if self.hands and subject.state in self.froms and user.id not in {getattr(subject, name) for name in self.hands}:
            return False
        if not user.may(self.permission):
            return self.over is not None and user.may(self.over)
        if subject.owner_id == user.id or not (self.own or self.over):
            return True
        return self.over is not None and user.may(self.over)

    def open_to(self, user, subject, owed: Collection[str] = ()) -> bool:
        """Whether the button is shown: the right, the state, and the duty it settles among those `owed`."""
        return subject.state in self.froms and self.may(user, subject) and self.due(owed) and self.why_not(subject, user) is None

    def due(self, owed: Collection[str]) -> bool:
        return not self.owed or any(rule in owed for rule in self.owed.split())

    def why_not(self, subject, user) -> Refused | None:
        """What else stands in the way where right and state do not: asked by its page and by its workflow alike."""
        return self.unless(subject, user) if self.unless else None

    @property
    def ends(self) -> frozenset[str]:
        """The states it may lead to; none where the state stays."""
        return self.to if isinstance(self.to, frozenset) else frozenset({self.to} if self.to else ())

    def check(self, subject, by) -> None:
        """What may be done in a state without leaving it, as changing may: Forbidden, or WrongState."""
        if not self.may(by, subject):
            raise Forbidden()
        if subject.state not in self.froms:
            raise WrongState()

    def apply(self, subject, by, to: str | Callable[[Any], str] | None = None) -> None:
        """Take the arrow in one guarded UPDATE; of any number at once, one does. Forbidden, WrongState (also where nothing is
        owed that it settles), or what else stands in the way (of the subject as it is now, locked). `to`: which of several
        `ends`, or what tells it of the locked subject."""
        if not self.may(by, subject):
            raise Forbidden()
        if self.unless or callable(to):
            kind = type(subject)  # both of its tables: PostgreSQL waits and then gives the newest row only of those it locks
            _lock(subject, inspect(kind).column_attrs.keys(), kind)
            if subject.state in self.froms and (why := self.why_not(subject, by)):
                raise why
        self.take(subject, to(subject) if callable(to) else to)
        if self.owed and not subject.owes(self.owed.split()):
            raise WrongState()

    def take(self, subject, to: str | None = None) -> None:
        """The same where who may was decided before, as by an approved absence."""
        if len(self.ends) > 1 and subject.state in self.froms and to not in self.ends:
            raise ValueError(f"{self.noun}: {to} is none of its ends")
        base: Any = inspect(type(subject)).base_mapper.class_
        db.session.flush()
        guarded = update(base).where(base.id == subject.id, base.state.in_(self.froms))
        values = {"state": to or self.to or base.state, "version": base.version + 1}
        if not rows_of(db.session.execute(guarded.values(values).execution_options(synchronize_session=False))):
            raise WrongState()
        db.session.refresh(subject, ["state", "version"])


def in_askers_place(user, subject) -> bool:
    """Whether they stand in for somebody who asked for this, or took it over from them: then others decide (2, ours.approval).
    Whom it is about has asked for nothing."""
    asked = subject.askers - {subject.concerned_id}
    return bool(asked & user.cover.people) or (subject.owner_id in asked and subject.id in user.cover.matters)


def _lock(subject, names: Iterable[str], *kinds: type) -> None:
    """These attributes as they are now, and until the transaction ends."""
    base: Any = inspect(type(subject)).base_mapper.class_
    db.session.flush()
    db.session.refresh(subject, names, with_for_update={"key_share": True, "of": [base, *kinds]})


def check_version(subject, version: int) -> None:
    """Lock the subject and refuse a form that was opened on an older version of it."""
    _lock(subject, ["version", "state"])
    if version != subject.version:
        raise Stale()


def edit(subject, changes: dict[str, Any]) -> dict[str, list[Any]]:
    """Set attributes that differ, bump the version if any does; the differences as `{name: [before, after]}`."""
    changed = {}
    for name, after in changes.items():
        before = getattr(subject, name)
        if before != after:
            changed[name] = [before, after]
            setattr(subject, name, after)
    if changed:
        subject.version += 1
        db.session.flush()
    return changed


def stands_in(user) -> bool:
    """Whether this person decides only in the manager's place (ours.standin)."""
    return Role.MANAGER not in user.roles


def in_place(by, why: str) -> dict[str, str]:
    """What a decision says of who decides in the manager's place; Invalid if they do not say why."""
    if not stands_in(by):
        return {}
    if not why.strip():
        raise Invalid(fields={"standing_in": N_("You decide in the manager's place: say why.")})
    return {"standing_in": why}
