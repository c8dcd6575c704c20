"""A letter's text with its fields filled in. A field is a name in braces, from a list; nothing else in a text means anything,
and what is filled in is never looked at again: there is nothing that could run."""

import re
from collections.abc import Mapping

from crm.errors import Invalid
from crm.labels import N_

FIELDS = {
    "customer": N_("the customer's full name"), "contact": N_("the contact's name"), "number": N_("the contract's number"),
    "starts_on": N_("first day of the period"), "ends_on": N_("last day of the period"), "days": N_("days until it ends"),
    "amount": N_("the amount"), "open": N_("what is still to be paid"), "due_on": N_("until when payment is due"),
    "specialist": N_("the specialist in charge"), "company": N_("our name"), "phone": N_("our telephone number"),
    "account": N_("where to pay to"), "today": N_("the date of the letter"),
    "report": N_("what a report is called"), "person": N_("who submitted it"), "link": N_("where it is read"),
}  # fmt: skip
TABLE = "products"  # a paragraph of its own: what the letter is about, as a table
LONGEST = 5_000
_FIELD = re.compile(r"\{([^{}\n]{0,40})\}")


def checked(text: str, *, table: bool = True) -> str:
    """The text, if every field in it is one of the list; Invalid names those that are not."""
    known = {*FIELDS, TABLE} if table else {*FIELDS}
    strange = [name for name in dict.fromkeys(_FIELD.findall(text)) if name not in known]
    if strange:
        raise Invalid(N_("There is no field {%(name)s}."), name=strange[0])
    rest = _FIELD.sub("", text)
    if "{" in rest or "}" in rest:
        raise Invalid(N_("A brace stands alone: fields are written {like_this}."))
    return text


def filled(text: str, values: Mapping[str, str]) -> str:
    """Each field replaced once; a field without a value stays empty."""
    return _FIELD.sub(lambda field: values.get(field[1], ""), text)


def paragraphs(body: str, values: Mapping[str, str]) -> list[str]:
    """The text's paragraphs, filled in; the table's place is the paragraph `{products}`. One that has fields, and for none
    of them a value, says nothing and is left out."""
    parts = [part.strip() for part in body.splitlines() if part.strip()]
    return [part if part == f"{{{TABLE}}}" else filled(part, values) for part in parts if _says(part, values)]


def _says(part: str, values: Mapping[str, str]) -> bool:
    named = _FIELD.findall(part)
    return not named or TABLE in named or any(values.get(name) for name in named)
