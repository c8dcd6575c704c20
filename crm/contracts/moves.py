"""The moves of a contract (5.2): from the negotiation to the period in force, and the ways out."""

from typing import Any

from crm.contracts.models import AHEAD, OWING, PAYING, Contract, State
from crm.labels import N_
from crm.moves import Move
from crm.permissions import Permission as P

_work: dict[str, Any] = {"permission": P.CONTRACT_WORK, "over": P.CONTRACT_WORK_ANY}
_lead: dict[str, Any] = {"permission": P.CONTRACT_RELEASE}
LIVE = AHEAD | {State.RETURNED}
MOVES: dict[str, Move] = {
    "sign": Move(noun="signature", label=N_("Signed by us"), done=N_("Noted that we signed."),
                 froms=frozenset({State.DRAFT}), to=State.SIGNED, icon="pen", tone="primary", **_work),
    "send": Move(noun="dispatch", label=N_("Sent to the customer"), done=N_("Noted that it was sent."),
                 froms=frozenset({State.SIGNED}), to=State.SENT, icon="send", tone="primary", **_work),
    "agree": Move(noun="terms", label=N_("Terms agreed"), done=N_("The terms are noted."),
                  froms=LIVE | OWING, to=None, icon="calendar-check", **_work),
    "copy": Move(noun="copy", label=N_("The countersigned copy is back"), done=N_("The contract is signed by both."),
                 froms=frozenset({State.SIGNED, State.SENT}), to=State.RETURNED, icon="check2", tone="primary", **_work),
    "scan": Move(noun="scan", label=N_("Add the scan of the copy"), done=N_("The scan is with the contract."),
                 froms=OWING | {State.LAPSED}, to=None, icon="paperclip", **_work),
    "invoice": Move(noun="invoice", label=N_("Invoice posted"), done=N_("The invoice is noted."),
                    froms=OWING | {State.LAPSED}, to=None, icon="file-earmark-text", **_work),
    "pay": Move(noun="payments", label=N_("Note a payment"), done=N_("The payment is noted."),
                froms=OWING, to=None, icon="cash-coin", **_work),
    "chase": Move(noun="reminders", label=N_("The customer was reminded"), done=N_("Noted that the customer was reminded."),
                  froms=OWING, to=None, icon="telephone", owed="contract.chase", **_work),
    "demand": Move(noun="demand", label=N_("Send the formal demand"), done=N_("The demand is in the outbox."),
                   froms=OWING, to=None, icon="envelope", owed="contract.demand", **_work),
    "release": Move(noun="release", label=N_("Let the period begin before the payment"), done=N_("The period is in force."),
                    froms=frozenset({State.RETURNED}), to=State.RUNNING, icon="play", **_lead),
    "withhold": Move(noun="withholding", label=N_("Withhold the new period"), done=N_("The new period is withheld."),
                     froms=PAYING, to=State.RETURNED, icon="stop-circle", tone="danger", owed="contract.decide", **_lead),
    "wait": Move(noun="patience", label=N_("Wait for the payment"), done=N_("Noted that we wait."),
                 froms=OWING, to=None, icon="hourglass-split", owed="contract.decide", **_lead),
    "adjust": Move(noun="adjustment", label=N_("Adjust the period"), done=N_("The period is adjusted."),
                   froms=frozenset({State.RUNNING}), to=None, icon="calendar3", **_lead),
    "check": Move(noun="check", label=N_("The service period is right"), done=N_("Noted that the service period is right."),
                  froms=frozenset({State.RUNNING, State.RENEWED}), to=None, asks=False, icon="check2", tone="primary",
                  owed="contract.check", **_lead),
    "serials": Move(noun="serials", label=N_("It needs no new serial numbers"), done=N_("Noted that it needs none."),
                    froms=frozenset({State.RUNNING, State.RENEWED}), to=None, icon="x-circle",
                    owed="contract.serials", **_work),
    "assign": Move(noun="assignment", label=N_("Give it to somebody else"),
                   done=N_("It is somebody else's now, who has been told."),
                   froms=LIVE | OWING, to=None, icon="person", **_lead),
    "decline": Move(noun="decline", label=N_("The customer declines"), done=N_("Noted that the customer declines."),
                    froms=AHEAD, to=State.DECLINED, icon="x-circle", tone="danger", **_work),
    "lapse": Move(noun="lapse", label=N_("It lapses without a renewal"), done=N_("The contract has lapsed."),
                  froms=PAYING, to=State.LAPSED, icon="x-circle", tone="danger", **_work),
}  # fmt: skip
Contract.MOVES = MOVES
CHANGE = Move(noun="edit", label=N_("Change the contract"), froms=AHEAD, to=None, **_work)  # no button
RENEWABLE = frozenset({State.RUNNING, State.LAPSED})
