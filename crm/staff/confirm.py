"""One's own password, asked for again before an account is handed over; compared with no unit of work open."""

from collections.abc import Callable

from flask import Response
from flask_login import current_user

from crm import answers
from crm.staff import entrance, workflow
from crm.staff.entrance import Account
from crm.staff.session import present_login, renew


def asked(form):
    """The form, without the question if the password was given in this log-in within the last ten minutes."""
    if workflow.confirmed_lately(present_login()):
        del form.present
    return form


def given(form) -> Account | None:
    """Whose password the form gave; nobody's if it did not ask. Invalid if it is wrong, TooOften for the eleventh try."""
    if not form.present:
        return None
    account = entrance.account_of(current_user)
    entrance.confirm(account, form.present.data)
    return account


def carry_out(confirmed: Account | None, act: Callable) -> Response:
    """`act` in its unit of work; this log-in goes on under a new token, whoever else may hold the old one."""

    def stamped():
        if confirmed:
            entrance.stamp(confirmed, present_login())
        answer = act()
        renew()
        return answer

    return answers.once(stamped)
