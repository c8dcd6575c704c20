from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l

from crm.customers.models import Contact
from crm.forms import CrmForm, DayField, LineField, PickField, ReasonForm, WordsField
from crm.opinions.models import About, Kind, Way
from crm.serials.models import Installation


class TakeInForm(CrmForm):
    """What a customer thinks of us."""

    kind = PickField(_l("Kind"), Kind, required=True, blank=_l("Choose what it is"))
    way = PickField(_l("How it reached us"), Way, required=True, blank="—")
    title = LineField(_l("In one line"), required=True, most=120)
    said = WordsField(_l("What the customer said"), required=True, most=10000, description=_l("In their words."))
    said_on = DayField(_l("On which day"), required=True)
    contact = PickField(_l("Who said it"), blank=_l("Not said"))
    about = PickField(_l("What the complaint is about"), About, blank="—", description=_l("Needed for a complaint."))
    against = PickField(_l("Of whom it speaks"), blank=_l("Of nobody"))
    installation = PickField(_l("Of which software"), blank=_l("Of none"))
    takes: ClassVar[dict[str, str]] = {"file_": ""}
    people: dict[str, Contact] = {}
    installed: dict[str, Installation] = {}

    def offer(self, contacts: list[Contact], installed: list[Installation], staff: list[tuple[int, str]]) -> None:
        self.people, self.installed = {str(one.id): one for one in contacts}, {str(one.id): one for one in installed}
        self.contact.offer([(one.id, f"{one.name} {one.department}".strip()) for one in contacts])
        self.installation.offer([(one.id, one.title) for one in installed])
        self.against.offer(staff)

    def says(self) -> dict[str, Any]:
        return {
            "category": self.kind.data, "way": self.way.data, "title": self.title.data, "said": self.said.data,
            "said_on": self.said_on.data, "about": self.about.data or "", "contact": self.people.get(self.contact.data or ""),
            "installation": self.installed.get(self.installation.data or ""),
        }  # fmt: skip


class HearForm(CrmForm):
    words = WordsField(_l("What those concerned say"), required=True, most=10000, description=_l(
        "By whom it is about, and by those who were there. Whom it is about can read it from then on."))  # fmt: skip


class CorrectForm(ReasonForm):
    """What whoever took it in guessed."""

    kind = PickField(_l("Kind"), Kind, required=True, blank=_l("Choose what it is"))
    about = PickField(_l("What the complaint is about"), About, blank="—", description=_l("Needed for a complaint."))
    against = PickField(_l("Of whom it speaks"), blank=_l("Of nobody"))
    said_on = DayField(_l("On which day"), required=True)


class FindForm(CrmForm):
    findings = WordsField(_l("What was found"), required=True, most=10000)


class AnswerForm(CrmForm):
    answer = WordsField(_l("What the customer was answered"), required=True, most=10000)
