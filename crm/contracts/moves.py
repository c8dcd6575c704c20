"""The moves of a contract (5.2): from the negotiation to the period in force, and the ways out."""

from typing import Any

from sqlalchemy import select

from crm.contracts import periods
from crm.contracts.models import AHEAD, OWING, PAYING, Contract, Kind, State
from crm.contracts.sums import in_full, noted
from crm.db import db
from crm.duties.models import Duty, open_now
from crm.errors import Forbidden, Refused
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P

_work: dict[str, Any] = {"permission": P.CONTRACT_WORK, "over": P.CONTRACT_WORK_ANY}
_lead: dict[str, Any] = {"permission": P.CONTRACT_RELEASE}
LIVE = AHEAD | {State.RETURNED}


def _nothing_to_pay(contract: Contract, _user: Any) -> Refused | None:
    paid = contract.state in OWING and in_full(contract)
    return Refused(N_("Nothing is to be paid any more.")) if paid else None


def _nothing_to_note(contract: Contract, user: Any) -> Refused | None:
    """What was paid may be taken back, too."""
    why = _nothing_to_pay(contract, user)
    return None if why is None or noted(contract) else why


def _no_period(contract: Contract, _user: Any) -> Refused | None:
    return None if contract.category == Kind.SERVICE else Refused(N_("A sale has no service period."))


def _ones_own(contract: Contract, user: Any) -> Refused | None:
    entered = user.id in {one.id for one in periods.entered_by(contract)}
    return Forbidden(N_("You entered this period yourself: another manager checks it.")) if entered else None


def _not_to_adjust(contract: Contract, user: Any) -> Refused | None:
    return _no_period(contract, user) or _ones_own(contract, user)


def _owing(contract: Contract, user: Any) -> Refused | None:
    """What is still owed for it, or to be done, only a manager lets lapse."""
    owed = select(Duty.id).where(Duty.subject_id == contract.id, Duty.rule.in_(FIRST), open_now()).limit(1)
    if user.may(P.CONTRACT_RELEASE) or (in_full(contract) and db.session.scalar(owed) is None):
        return None
    return Forbidden(
        N_("Something is still to be paid, checked, handed over or sent to the customer: a manager lets it lapse.")
    )


FIRST = ("contract.check", "contract.serials", "contract.notice")  # what is done before a contract may be let lapse


MOVES: dict[str, Move] = {
    "sign": Move(noun="signature", label=N_("Signed by us"), done=N_("Noted that we signed."),
                 froms=frozenset({State.DRAFT}), to=State.SIGNED, icon="pen", tone="primary", **_work),
    "send": Move(noun="dispatch", label=N_("Sent to the customer"), done=N_("Noted that it was sent."),
                 froms=frozenset({State.SIGNED}), to=State.SENT, icon="send", tone="primary", **_work),
    "agree": Move(noun="terms", label=N_("Terms agreed"), done=N_("The terms are noted."),
                  froms=LIVE | OWING, to=None, icon="calendar-check", unless=_nothing_to_pay, **_work),
    "copy": Move(noun="copy", label=N_("The countersigned copy is back"), done=N_("The contract is signed by both."),
                 froms=frozenset({State.SIGNED, State.SENT}), to=State.RETURNED, icon="check2", tone="primary", **_work),
    "scan": Move(noun="scan", label=N_("Add the scan of the copy"), done=N_("The scan is with the contract."),
                 froms=OWING | {State.LAPSED}, to=None, icon="paperclip", **_work),
    "invoice": Move(noun="invoice", label=N_("Invoice posted"), done=N_("The invoice is noted."),
                    froms=OWING | {State.LAPSED}, to=None, icon="file-earmark-text", **_work),
    "pay": Move(noun="payments", label=N_("Note a payment"), done=N_("The payment is noted."),
                froms=OWING, to=None, icon="cash-coin", unless=_nothing_to_note, **_work),
    "chase": Move(noun="reminders", label=N_("The customer was reminded"), done=N_("Noted that the customer was reminded."),
                  froms=OWING, to=None, icon="telephone", owed="contract.chase", **_work),
    "demand": Move(noun="demand", label=N_("Send the formal demand"), done=N_("The demand is in the outbox."),
                   froms=OWING, to=None, icon="envelope", owed="contract.demand", **_work),
    "release": Move(noun="release", label=N_("Let the period begin before the payment"), done=N_("The period is in force."),
                    froms=frozenset({State.RETURNED}), to=State.RUNNING, icon="play", unless=_no_period, **_lead),
    "withhold": Move(noun="withholding", label=N_("Withhold the new period"), done=N_("The new period is withheld."),
                     froms=PAYING, to=State.RETURNED, icon="stop-circle", tone="danger", owed="contract.decide", **_lead),
    "wait": Move(noun="patience", label=N_("Wait for the payment"), done=N_("Noted that we wait."),
                 froms=OWING, to=None, icon="hourglass-split", owed="contract.decide", **_lead),
    "adjust": Move(noun="adjustment", label=N_("Adjust the period"), done=N_("The period is adjusted."),
                   froms=frozenset({State.RUNNING}), to=None, icon="calendar3", unless=_not_to_adjust,
                   **_lead),
    "check": Move(noun="check", label=N_("The service period is right"), done=N_("Noted that the service period is right."),
                  froms=frozenset({State.RUNNING, State.RENEWED}), to=None, asks=False, icon="check2", tone="primary",
                  owed="contract.check", unless=_ones_own, **_lead),
    "serials": Move(noun="serials", label=N_("It needs no new serial numbers"), done=N_("Noted that it needs none."),
                    froms=frozenset({State.RUNNING, State.RENEWED}), to=None, icon="x-circle",
                    owed="contract.serials", **_work),
    "assign": Move(noun="assignment", label=N_("Give it to somebody else"),
                   done=N_("It is somebody else's now, who has been told."),
                   froms=LIVE | OWING, to=None, icon="person", **_lead),
    "decline": Move(noun="decline", label=N_("The customer declines"), done=N_("Noted that the customer declines."),
                    froms=AHEAD, to=State.DECLINED, icon="x-circle", tone="danger", **_work),
    "lapse": Move(noun="lapse", label=N_("It lapses without a renewal"), done=N_("The contract has lapsed."),
                  froms=PAYING, to=State.LAPSED, icon="x-circle", tone="danger", unless=_owing, **_work),
}  # fmt: skip
Contract.MOVES = MOVES
CHANGE = Move(noun="edit", label=N_("Change the contract"), froms=AHEAD, to=None, **_work)  # no button
RENEWABLE = frozenset({State.RUNNING, State.LAPSED})
