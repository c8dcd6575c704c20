"""The moves of a paper (5.7): from hand to hand, and both sides confirm."""

from typing import Any

from crm.db import db
from crm.duties.models import Subject
from crm.errors import Refused
from crm.labels import N_
from crm.moves import Move
from crm.papers import queries
from crm.papers.models import Paper, State
from crm.permissions import Permission as P

_holder: dict[str, Any] = {"permission": P.PAPER_HOLD, "hands": ("owner_id",)}
_taker: dict[str, Any] = {
    "permission": P.PAPER_HOLD, "hands": ("concerned_id",), "froms": frozenset({State.OFFERED}), "to": State.HELD,
}  # fmt: skip
_archive: dict[str, Any] = {"permission": P.PAPER_ARCHIVE}
HERE = frozenset({State.HELD, State.OFFERED, State.ARCHIVED, State.LENT, State.RETURNED})


def _still_here(paper: Paper, _user: Any) -> Refused | None:
    holder = db.session.get_one(Subject, paper.owner_id)
    return None if queries.gone(holder) else Refused(N_("%(name)s still works here: have it handed over."), name=holder.title)


MOVES: dict[str, Move] = {
    "take": Move(noun="taking", label=N_("I have it"), done=N_("Noted that you have it."),
                 asks=False, icon="check2", tone="primary", **_taker),
    "archive": Move(noun="archiving", label=N_("Archive it"), done=N_("The paper is archived."),
                    froms=frozenset({State.HELD, State.OFFERED}), to=State.ARCHIVED, icon="archive", tone="primary",
                    hands=("owner_id", "concerned_id"), **_archive),
    "offer": Move(noun="offer", label=N_("Hand it over"), done=N_("Handed over; they still have to confirm it."),
                  froms=frozenset({State.HELD}), to=State.OFFERED, icon="arrow-right", tone="primary", **_holder),
    "decline": Move(noun="refusal", label=N_("I did not get it"), done=N_("Noted that you did not get it."),
                    icon="x-circle", **_taker),
    "withdraw": Move(noun="withdrawal", label=N_("I keep it after all"), done=N_("It stays in your hands."),
                     froms=frozenset({State.OFFERED}), to=State.HELD, asks=False, icon="arrow-return-left", **_holder),
    "give_back": Move(noun="giving-back", label=N_("I gave it back"),
                      done=N_("Given back; the archive still has to confirm it."),
                      froms=frozenset({State.LENT}), to=State.RETURNED, asks=False, icon="arrow-return-left",
                      tone="primary", **_holder),
    "reshelve": Move(noun="return", label=N_("It is back in its place"), done=N_("It is back in its place."),
                     froms=frozenset({State.RETURNED}), to=State.ARCHIVED, icon="archive", tone="primary", **_archive),
    "miss": Move(noun="miss", label=N_("It did not come back"), done=N_("Noted that it did not come back."),
                 froms=frozenset({State.RETURNED}), to=State.LENT, icon="x-circle", **_archive),
    "lend": Move(noun="loan", label=N_("Lend it"), done=N_("The paper is lent."),
                 froms=frozenset({State.ARCHIVED}), to=State.LENT, icon="box-arrow-right", **_archive),
    "fetch": Move(noun="takeover", label=N_("Take it over"), done=N_("It is in your hands now."),
                  froms=frozenset({State.HELD, State.OFFERED, State.LENT}), to=State.HELD, icon="person", unless=_still_here,
                  **_archive),
    "find": Move(noun="finding", label=N_("I have found it"), done=N_("It is on the register again."),
                 froms=frozenset({State.LOST}), to=State.HELD, icon="search", permission=P.PAPER_HOLD),
    "lose": Move(noun="loss", label=N_("It is lost"), done=N_("Noted as lost; a manager looks at it."),
                 froms=HERE, to=State.LOST, icon="exclamation-triangle", tone="danger", permission=P.PAPER_HOLD,
                 over=P.PAPER_ARCHIVE),
    "see": Move(noun="loss-seen", label=N_("Seen"), done=N_("Noted as seen."), froms=frozenset({State.LOST}), to=None,
                asks=False, icon="check2", owed="paper.see_loss", permission=P.TICKET_ASSIGN, others=True),
    "void": Move(noun="voiding", label=N_("Entered by mistake"), done=N_("The paper is void."),
                 froms=frozenset({State.HELD}), to=State.VOID, icon="trash", tone="danger", permission=P.PAPER_HOLD,
                 hands=("entered_by_id",)),
}  # fmt: skip
Paper.MOVES = MOVES
