import re
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, ValidationError

from crm.forms import CountField, CrmForm, InstantField, LineField, PickField, WordsField
from crm.tickets.forms import CallerForm, CategoryForm, CustomerForm
from crm.visits.feedback import PURPOSE
from crm.visits.models import Kind, Visit

MOST_DEPARTMENTS = 30
_PARTED = re.compile(r"\s*[:：]\s*")


class AgreedForm(CallerForm):
    """What was agreed with the customer (5.3.1 to 5.3.3)."""

    kind = PickField(_l("Kind"), Kind, default=Kind.VISIT)
    asked_at = InstantField(_l("When the customer asked"), required=True, past=True)
    arrive_at = InstantField(_l("Agreed arrival"), required=True)
    ends_at = InstantField(_l("Agreed end"), required=True, description=_l("From then on counts by when you are to be back."))
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
        if not all(row["name"] for row in rows):
            raise ValidationError(_l("Each line begins with a department's name."))
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


def line_of(department: dict[str, str]) -> str:
    """A department as it was typed, with what waits there."""
    return f"{department['name']}：{department['waits']}" if department["waits"] else department["name"]


def lines_of(visit: Visit) -> str:
    return "\n".join(map(line_of, visit.departments))


def values_of(visit: Visit) -> dict[str, Any]:
    """A visit as its form shows it."""
    names = ("asked_at", "arrive_at", "ends_at", "title", "description", "place", "department", "version")
    return {name: getattr(visit, name) for name in names} | {
        "kind": visit.category, "departments": lines_of(visit), "contact": visit.contact_id,
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


def report_form(visit: Visit, **kwargs: Any) -> CrmForm:
    """The feedback form (5.3.4, 5.3.5): a field for each department, with what is noted already in it."""
    inputs: dict[str, Any] = {
        f"outcome_{i}": WordsField(one["name"], required=True, most=2000, description=one["waits"])
        for i, one in enumerate(visit.departments)
    }
    inputs["open_points"] = WordsField(_l("Open points"), most=2000, description=_l("What is left to do, and by when."))
    inputs["opinion"] = WordsField(_l("The customer's opinion"), most=2000, description=_l("In the customer's own words."))
    noted = {f"outcome_{i}": one.get("outcome", "") for i, one in enumerate(visit.departments)}
    known = {"open_points": visit.open_points, "opinion": visit.opinion, "version": visit.version}
    return type("ReportForm", (CrmForm,), inputs)(data=noted | known, **kwargs)


def outcomes_in(form: CrmForm) -> list[str]:
    return [field.data for name, field in form._fields.items() if name.startswith("outcome_")]


class SignerForm(CrmForm):
    """The customer's responsible person."""

    name = LineField(_l("Name of the person signing"), required=True, most=50)
    position = LineField(_l("Position"), required=True, most=50, description=_l("Who answers for it at the customer's."))

    def again(self, what: str, version: int) -> None:
        """The text is another one now, and is shown anew."""
        self.version.data, self.version.raw_data = str(version), None


class SignForm(SignerForm):
    """`strokes` is drawn on the page; `what` names the text that stood above them."""

    strokes = HiddenField(_l("Signature"))
    what = HiddenField()

    @property
    def shown(self) -> str:
        """The text the form was sent for; the present one never stands in for it."""
        return self.what.raw_data[0] if self.what.raw_data else ""

    def again(self, what: str, version: int) -> None:
        """Nobody has signed that."""
        super().again(what, version)
        self.what.data, self.strokes.data = what, ""


class RefusedForm(CrmForm):
    """Who would not sign, and why."""

    name = LineField(_l("Who did not sign"), required=True, most=50)
    position = LineField(_l("Position"), required=True, most=50)
    words = WordsField(_l("Why not, in their words"), required=True, most=2000)


class ScanForm(SignerForm):
    takes: ClassVar[dict[str, str]] = {"file_signed": PURPOSE}
