"""Who is at work on a change request, and when."""

from datetime import timedelta

from crm import clock
from tests import make

DAY = timedelta(days=1)


def me():
    return make.who("specialist")


def manager():
    return make.who("manager")


def developer():
    return make.who("developer")


def later(days: int):
    return clock.frozen(clock.now() + days * DAY)
