"""What of a draft no trial can tell: what would have made another story, or is paid for other things than missed deadlines."""

from collections.abc import Mapping
from typing import Any

from crm.labels import N_
from crm.rulebooks.differences import Difference
from crm.rulebooks.sheets import by_program

NUMBERS = N_("Numbers that say what may be done, and days that stand on contracts already, stay as they were.")
ACTS = N_("What the program did by itself, it did when it did.")
FINES = N_("What is not paid for a missed deadline is not counted: lost papers, complaints, what is entered by hand.")
LETTERS = N_("Letters, their hours and texts change no deadline.")
WORK = N_("What had to be there before the work started is asked for only when a record was completed.")


def untried(found: list[Difference], data: Mapping[str, Any]) -> list[str]:
    """For these differences, what is not in a trial's numbers."""
    fined = {fine["clause"] for rule in data.get("duty", {}).values() for fine in rule.get("fine", ())}
    why = []
    for one in found:
        if one.table == "settings":
            why.append(NUMBERS)
        elif one.table in ("message", "sending"):
            why.append(LETTERS)
        elif one.table == "duty" and by_program(data.get("duty", {}).get(one.path[1], {})):
            why.append(ACTS)
        elif one.table == "penalty" and one.path[1] not in fined:
            why.append(FINES)
        elif one.table == "category" and one.path[-1] == "before_work":
            why.append(WORK)
    return list(dict.fromkeys(why))
