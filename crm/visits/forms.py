import re
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import ValidationError

from crm.forms import CountField, CrmForm, InstantField, LineField, PickField, WordsField
from crm.tickets.forms import CallerForm, CategoryForm, CustomerForm
from crm.visits.models import Kind, Visit

MOST_DEPARTMENTS = 30
_PARTED = re.compile(r"\s*[:：]\s*")


class AgreedForm(CallerForm):
    """What was agreed with the customer (5.3.1 to 5.3.3)."""

    kind = PickField(_l("Kind"), Kind, default=Kind.VISIT)
    asked_at = InstantField(_l("When the customer asked"), required=True, past=True)
    arrive_at = InstantField(_l("Agreed arrival"), required=True)
    ends_at = InstantField(_l("Agreed end"), required=True, description=_l("You are expected back then."))
    title = LineField(_l("Purpose"), required=True, most=120)
    departments = WordsField(
        _l("Departments"), required=True, most=3000,
        description=_l("One a line, with what waits there: Finance: the report does not open"),
    )  # fmt: skip
    description = WordsField(_l("Further words"))
    place = LineField(_l("Destination"), most=200, description=_l("Of a trip out of town."))
    cost = CountField(_l("Expected cost in yuan"), most=1_000_000)

    def validate_departments(self, field: WordsField) -> None:
        rows = rows_of(field.data or "")
        if len(rows) > MOST_DEPARTMENTS:
            raise ValidationError(_l("Thirty departments at most."))
        if any(len(row["name"]) > 50 for row in rows):
            raise ValidationError(_l("A department's name is 50 letters at most; write a colon behind it."))

    def facts(self) -> dict[str, Any]:
        """The columns of a visit, as the workflow takes them."""
        same = ("asked_at", "arrive_at", "ends_at", "title", "description", "place")
        cost = self.cost.data
        return {name: self._fields[name].data for name in same} | {
            "category": self.kind.data, "departments": rows_of(self.departments.data),
            "cost_fen": None if cost is None else cost * 100,
        }  # fmt: skip


def rows_of(text: str) -> list[dict[str, str]]:
    """`财务部：报表打不开`, one a line → the department, and what waits there."""
    parted = [_PARTED.split(line.strip(), maxsplit=1) for line in text.splitlines() if line.strip()]
    return [{"name": name, "waits": rest[0] if rest else ""} for name, *rest in parted]


def values_of(visit: Visit) -> dict[str, Any]:
    """A visit as its form shows it."""
    lines = (f"{one['name']}：{one['waits']}" if one["waits"] else one["name"] for one in visit.departments)
    names = ("asked_at", "arrive_at", "ends_at", "title", "description", "place", "department", "version")
    return {name: getattr(visit, name) for name in names} | {
        "kind": visit.category, "departments": "\n".join(lines), "contact": visit.contact_id,
        "cost": None if visit.cost_fen is None else visit.cost_fen // 100,
    }  # fmt: skip


class RequestForm(CustomerForm, AgreedForm):
    """A new request."""


class RecordForm(CategoryForm):
    """The visit written up (5.3.6); the category's fields are the rulebook's."""

    category = PickField(_l("Category"), required=True, blank=_l("Choose the category"))
    title = LineField(_l("In one line"), required=True, most=120)
    description = WordsField(_l("What was asked"))


class DecideForm(CrmForm):
    """`standing_in` is asked only of who decides in the manager's place."""

    standing_in = LineField(_l("Why you decide in the manager's place"), most=200)


class RejectForm(DecideForm):
    reason = WordsField(_l("Reason"), required=True, most=2000)
