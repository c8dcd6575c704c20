"""The application a customer signs before data is cleared or a password is given (5.1.4.1, 5.1.4.3)."""

from flask_babel import gettext as _

from crm.customers.queries import by_id
from crm.duties import editions
from crm.letters.sheet import Sheet, facts, sheet, signatures, words
from crm.tickets.models import PASSWORD, Ticket


def paper_of(ticket: Ticket) -> str:
    """The kind of paper its customer applies on; "" where none is needed."""
    category = editions.todays().categories.get(ticket.category)
    return category.paper if category else ""


def application(ticket: Ticket) -> Sheet:
    customer, contact = by_id(ticket.customer_id), ticket.contact
    who = facts(
        (_("Customer"), customer.full_name or customer.title), (_("Address"), customer.address),
        (_("Contact"), contact.name if contact else ""), (_("Department"), ticket.department),
        (_("Phone"), (contact.mobile or contact.phone) if contact else ""), (_("Fax"), customer.fax),
    )  # fmt: skip
    if ticket.category == PASSWORD:
        title, asked = _("Application for the super-administrator password"), [
            words(_("Software and version"), "", 14), words(_("Why it is needed"), "", 30),
            words(_("Who is to be told (name, post, phone)"), "", 16),
        ]  # fmt: skip
        sworn = _("We ask for the password to be set anew and answer for its use. It is told to the person named above only.")
    else:
        title, asked = _("Application for data cleanup"), [
            words(_("Which accounts, which documents, which period"), ticket.fields.get("data", ""), 40),
            words(_("Why"), ticket.description, 24), words(_("Backed up by, when, where"), "", 16),
        ]  # fmt: skip
        sworn = _("We ask for this data to be cleared, know that it cannot be brought back, and have kept a backup.")
    theirs = _("Responsible person of the customer (signature, date)"), ""
    boxes = signatures(theirs, (_("Stamp of the customer"), ""), height=38)
    ours = signatures((_("Received by (signature, date)"), ""), (_("Carried out by (signature, date)"), ""), height=20)
    return sheet(title, ticket.number, paper_of(ticket), [who, *asked, words("", sworn, 12), boxes, ours])
