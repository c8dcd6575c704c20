"""Which matters go to a stand-in: by which column, which event of theirs says so, and to whom they may go. What stands here in no
line only the person can do: acknowledge the rulebook, be heard, sign, confirm a paper."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crm.absences.models import How, Why
from crm.changes.models import ChangeEvent
from crm.changes.queries import builders
from crm.contracts.models import ContractEvent
from crm.implementations.models import ImplementationEvent
from crm.opinions.models import OpinionEvent
from crm.permissions import Permission as P
from crm.staff.models import User
from crm.tickets.models import TicketEvent
from crm.visits.models import VisitEvent


@dataclass(frozen=True)
class Part:
    """One way a matter is somebody's. `why_not`: why this person may not have it; "" if they may."""

    event: str
    why_not: Callable[[Any, User], str]
    column: str = "owner_id"
    move: str = "assign"  # the states it begins in are those in which the matter may change hands
    lasting: bool = False  # theirs though nothing is owed just now

    @property
    def how(self) -> How:
        return How.MATTER if self.column == "owner_id" else How.BUILD


def works(permission: P) -> Callable[[Any, User], str]:
    return lambda _matter, to: "" if to.may(permission) else Why.WORKS


def _reports(change, to: User) -> str:
    return Why.BUILDS if to.id in builders(change) else works(P.CHANGE_WORK)(change, to)


def _builds(change, to: User) -> str:
    return Why.ASKED if to.id in change.askers else works(P.CHANGE_BUILD)(change, to)


def _sees_to(opinion, to: User) -> str:
    """A complaint stays with those who lead, and never goes to whom it is about."""
    if to.id == opinion.concerned_id:
        return Why.ABOUT
    return works(P.OPINION_INVESTIGATE if opinion.complaint else P.OPINION_WORK)(opinion, to)


PARTS: dict[str, tuple[Part, ...]] = {
    "ticket": (Part(TicketEvent.ASSIGNED, works(P.TICKET_WORK)),),
    "visit": (Part(VisitEvent.ASSIGNED, works(P.VISIT_WORK)),),
    "change": (Part(ChangeEvent.ASSIGNED, _reports), Part(ChangeEvent.BUILDER, _builds, column="concerned_id", move="rebuild")),
    "opinion": (Part(OpinionEvent.ASSIGNED, _sees_to),),
    "contract": (Part(ContractEvent.ASSIGNED, works(P.CONTRACT_WORK), lasting=True),),
    "implementation": (Part(ImplementationEvent.ASSIGNED, works(P.CONTRACT_WORK)),),
}


def part_of(matter: Any, person_id: int | None) -> Part | None:
    """By which part a matter is this person's."""
    return next((part for part in PARTS.get(matter.kind, ()) if getattr(matter, part.column) == person_id), None)


def free(matter: Any, part: Part) -> bool:
    """Whether it may change hands as it stands."""
    return matter.state in matter.MOVES[part.move].froms
