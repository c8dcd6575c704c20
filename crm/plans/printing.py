"""A month's contract plan on paper: each line with what became of it (4.manager.7, 4.director.5)."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from crm.duties import queries as duties
from crm.letters.sheet import Sheet, account, bars, facts, moment, signatures, table, words
from crm.money import yuan
from crm.plans.completion import SUMMED, Outcome, shown
from crm.plans.models import Plan

WIDTHS = (4, 3, 2, 2, 2, 2, 2, 3)


def printed(plan: Plan) -> Sheet:
    """As it was submitted; before that, as it stands now."""
    found, names = shown(plan), duties.names([plan.submitted_by_id])
    by = names[plan.submitted_by_id].title if plan.submitted_by_id in names else ""
    heads = [_("Expected amount"), _("Signed"), _("Paid")]
    owners, sums = found["owners"], found["sums"]
    most = max((one[name] for one in owners for name in SUMMED), default=0)
    drawn = ((one["name"] or _("Nobody"), [(one[name], yuan(one[name])) for name in SUMMED]) for one in owners)
    titles = {"renewals": _("Renewals"), "finals": _("Final payments"), "beside": _("Not in the plan")}
    rest = [_("Date"), _("In charge"), *heads, _("How far"), _("Remark")]
    blocks = [
        facts((_("Contracts"), str(sums["count"])), *zip(heads, (yuan(sums[name]) for name in SUMMED), strict=True)),
        *([bars(_("By person in charge"), heads, drawn, most)] if owners else []),
        *(table([title, *rest], WIDTHS, map(_line, found[key]), height=6) for key, title in titles.items() if found[key]),
        *([words(_("What the figures do not say"), plan.remark, 14)] if plan.remark else []),
        signatures((_("Submitted by (signature, date)"), f"{by} {moment(plan.submitted_at)}".strip()),
                   (_("Signed off by (signature, date)"), ""), height=18),
    ]  # fmt: skip
    note = "" if plan.body is not None else _("Not submitted yet: these figures may still change.")
    return account(f"{_('Contract plan')} {plan.title}", plan.number, plan.path, blocks, note)


def _line(line: Mapping[str, Any]) -> list[str]:
    fen = ["" if line[name] is None else yuan(line[name]) for name in SUMMED]
    remark = " ".join(filter(None, (line["remark"], line["struck"] and _("Struck: %(why)s", why=line["struck"]))))
    customer = f"{line['customer'] or line['title']} {line['number']}"
    return [customer, line["due_on"], line["owner"], *fen, _(Outcome(line["outcome"]).label), remark]
