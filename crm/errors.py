"""Refusals a person can act on. Each carries its answer's status and an English msgid with its parameters."""

from collections.abc import Mapping

from crm.labels import N_


class Refused(Exception):
    """Wrong state or a rule that forbids: nothing was changed."""

    status = 409
    title = ""  # of its page, where another than its status's
    fields: Mapping[str, object] = {}

    def __init__(self, message: str = "", **params: object) -> None:
        super().__init__(message)
        self.message, self.params = message, params


class Invalid(Refused):
    """What was typed cannot be taken; `fields` maps a form field's name to what is wrong with it."""

    status = 422

    def __init__(self, message: str = N_("Please check what is marked below."), fields: dict | None = None, **params):
        super().__init__(message, **params)
        self.fields = fields or {}


NEEDED = N_("This is needed.")


def blank(**said: str) -> dict[str, object]:
    """Which of these were left blank, as `Invalid` names them."""
    return {name: NEEDED for name, words in said.items() if not words.strip()}


def needed(**said: str) -> None:
    """Refuses (422) what was left blank."""
    if wrong := blank(**said):
        raise Invalid(fields=wrong)


class Stale(Refused):
    """Somebody else changed the subject after this form was opened."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody changed this after you opened it. Below stand both: yours and what is saved now.")
        )


class WrongState(Refused):
    def __init__(self) -> None:
        super().__init__(N_("This can no longer be done: its state has changed. Here it is as it is now."))


class Untimely(Refused, ValueError):
    """The clock stands before what is written on began, as after a sweep that was told a time to come."""

    def __init__(self) -> None:
        super().__init__(N_("This would be in the future, or before it began."))


class Forbidden(Refused):
    status = 403

    def __init__(self, message: str = N_("Your role may not do this."), **params: object) -> None:
        super().__init__(message, **params)


class TooOften(Refused):
    """Tried too often within a quarter of an hour; it opens again by itself."""

    status = 429

    def __init__(self, message: str = N_("Too many attempts. Wait a quarter of an hour, or ask the administrator.")) -> None:
        super().__init__(message)


class NotThere(Refused):
    """Not there, or not yours to see: the two are told in the same words."""

    status = 404
