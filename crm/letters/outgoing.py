"""A letter looked at before it goes: where to, and how it would look."""

from collections.abc import Callable

from flask_babel import gettext as _

from crm.duties.message import Message, MessageState, Way
from crm.errors import Refused
from crm.labels import N_
from crm.letters.letter import NotReady, reach


def reached(message: Message) -> tuple[Way, str] | None:
    """How, and where, one that waits would go now; None if it does not wait, or nothing reaches the customer."""
    if message.state != MessageState.QUEUED or message.sheet_sha256:
        return None
    return reach(message, message.subject.letter_about(message.slot))


def seen(make: Callable[[], bytes]) -> bytes:
    """A letter as it would be sent now. Refused where it cannot be made, and why."""
    try:
        return make()
    except NotReady as why:
        raise Refused(N_("The letter cannot be made now: %(why)s."), why=_(str(why))) from why
