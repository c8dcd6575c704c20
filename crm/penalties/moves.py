"""The moves of a penalty: issued or waived, signed or refused before witnesses, contested and answered (D1)."""

from typing import Any

from sqlalchemy import select

from crm.db import db
from crm.duties.models import Duty, open_now
from crm.errors import Forbidden, Refused, WrongState
from crm.labels import N_
from crm.moves import Move
from crm.penalties.models import Penalty, State
from crm.permissions import Permission as P
from crm.permissions import Role
from crm.staff import queries as staff

WEIGH = "penalty.weigh penalty.weigh_lead"
_manager: dict[str, Any] = {"permission": P.PENALTY_ISSUE, "others": True, "bars": ("concerned_id",)}
_person: dict[str, Any] = {"permission": P.SIGNED_IN, "hands": ("concerned_id",)}


def _signed_already(penalty: Penalty, user: Any) -> Refused | None:
    return WrongState() if user.id in penalty.witnessed else None


def _too_late(penalty: Penalty, _user: Any) -> Refused | None:
    return None if penalty.contestable else Refused(N_("The days to appeal in are over."))


def _not_theirs_yet(penalty: Penalty, user: Any) -> Refused | None:
    """Whose it is to weigh, the rulebook says: the director; of what is recommended about a director, a manager (7.1, 7.2)."""
    owed = Duty.subject_id == penalty.id, Duty.rule.in_(WEIGH.split()), open_now()
    pools = set(db.session.scalars(select(Duty.pool).where(*owed)))
    if pools and not pools & set(user.roles):
        return Forbidden()
    early = penalty.state != State.UPHELD and penalty.contestable
    return Refused(N_("The person may still appeal: decide when those days are over.")) if early else None


def _by_hand(penalty: Penalty, _user: Any) -> Refused | None:
    """What was proposed from something that was written down is no entry of anybody's: that is put right, not this."""
    return Forbidden() if penalty.cause_id else None


def who_may(verb: str, penalty: Penalty) -> list[int]:
    """Whose it is to take a move, right and duty considered."""
    move = MOVES[verb]
    found = (one for one in staff.with_role(tuple(Role)) if move.may(one, penalty))
    return [one.id for one in found if not isinstance(move.why_not(penalty, one), Forbidden)]


def _others_may(penalty: Penalty, user: Any) -> Refused | None:
    """Whoever issued or entered it names who answers only where nobody may answer."""
    return Forbidden() if user.id in penalty.askers and who_may("decide", penalty) else None


MOVES: dict[str, Move] = {
    "issue": Move(noun="issue", label=N_("Issue the notice"), done=N_("The notice is issued; the person signs it next."),
                  froms=frozenset({State.PROPOSED}), to=State.ISSUED, icon="file-earmark-text", tone="primary", **_manager),
    "sign": Move(noun="signature", label=N_("Sign the notice"), done=N_("Signed. Signing is not agreeing: you may appeal."),
                 froms=frozenset({State.ISSUED, State.REFUSED}), to=State.SIGNED, icon="pencil", tone="primary", **_person),
    "refuse": Move(noun="refusal", label=N_("The signature is refused"), done=N_("The two witnesses sign next."),
                   froms=frozenset({State.ISSUED, State.REFUSED}), to=State.REFUSED, icon="x-circle", **_manager),
    "confirm": Move(noun="testimony", label=N_("Sign as a witness"), done=N_("You have signed as a witness."),
                    froms=frozenset({State.REFUSED}), to=frozenset({State.REFUSED, State.WITNESSED}),
                    permission=P.SIGNED_IN, icon="check2", tone="primary", hands=("first_witness_id", "second_witness_id"),
                    asks=False, unless=_signed_already),
    "appeal": Move(noun="appeal", label=N_("Appeal"), done=N_("Your appeal is in; an answer is owed to you."),
                   froms=frozenset({State.SIGNED, State.WITNESSED}), to=State.APPEALED, icon="chat-dots", unless=_too_late,
                   **_person),
    "decide": Move(noun="answer", label=N_("Answer the appeal"), done=N_("The appeal is answered; the person has been told."),
                   froms=frozenset({State.APPEALED}), to=frozenset({State.UPHELD, State.REDUCED, State.STRUCK}),
                   permission=P.SIGNED_IN, over=P.PENALTY_DECIDE, others=True, bars=("concerned_id",), icon="check2",
                   tone="primary"),
    "appoint": Move(noun="appointment", label=N_("Name who answers the appeal"), done=N_("They have been told."),
                    froms=frozenset({State.APPEALED}), to=None, permission=P.PENALTY_APPOINT, icon="person",
                    bars=("concerned_id",), unless=_others_may),
    "weigh": Move(noun="decision", label=N_("Decide on what is recommended"), done=N_("Your decision is noted."),
                  froms=frozenset({State.SIGNED, State.WITNESSED, State.UPHELD}), to=None, permission=P.PENALTY_WEIGH,
                  others=True, bars=("concerned_id",), owed=WEIGH, icon="clipboard", tone="primary", unless=_not_theirs_yet),
    "waive": Move(noun="waiver", label=N_("Waive it"), done=N_("It is waived."),
                  froms=frozenset({State.PROPOSED, State.ISSUED, State.REFUSED}), to=State.WAIVED, icon="x-circle",
                  tone="danger", **_manager),
    "withdraw": Move(noun="withdrawal", label=N_("I entered it by mistake"), done=N_("It is taken back."),
                     froms=frozenset({State.PROPOSED}), to=State.WITHDRAWN, icon="arrow-return-left",
                     permission=P.PENALTY_ENTER, hands=("entered_by_id",), unless=_by_hand),
}  # fmt: skip
Penalty.MOVES = MOVES
