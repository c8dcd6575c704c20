"""A rulebook's faults in words a person reads: `reading` names them as it finds them, in English and by their place."""

import re
from typing import NamedTuple

from crm.errors import Refused
from crm.labels import N_

_PLACE = re.compile(r"\[(?P<table>\w+)(?:\.(?P<key>.*?))?\](?P<part> text| title)?: (?P<what>.*)", re.S)
_SYNTAX = re.compile(r".*\(at line (?P<line>\d+), column (?P<column>\d+)\)", re.S)
SAID = tuple((re.compile(pattern, re.S), words) for pattern, words in (
    (r"needs both zh and en", N_("It needs its words in Chinese and in English.")),
    (r"no clause (?P<name>.*)", N_("There is no clause %(name)s.")),
    (r"no chapter (?P<name>.*)", N_("There is no chapter %(name)s.")),
    (r"no field (?P<name>.*)", N_("There is no field %(name)s.")),
    (r"no paper (?P<name>.*), or not of.*", N_("There is no paper form %(name)s, or the duty is not of = \"paper\".")),
    (r"no paper (?P<name>.*)", N_("There is no paper form %(name)s.")),
    (r"no fixed fine under (?P<name>.*)", N_("What is missed is fined by one amount: there is none under %(name)s.")),
    (r"owner '(?P<name>.*)' is nobody", N_("Nobody is called %(name)s.")),
    (r"owner (?P<name>\w+) may not do it", N_("The role %(name)s may not press the button that settles this.")),
    (r"what is settled by a call is named call\.…", N_("What is settled by a call is named call.….")),
    (r"it is reminded of before there is anything to do",
     N_("The reminder is longer than the time there is: choose a shorter one.")),
    (r"lost names no penalty, or there is no paper",
     N_("What a lost paper costs is none of the fines, or there is no paper form.")),
    (r"needs an event that opens it and one that keeps it", N_("It needs an event that opens it and one that keeps it.")),
    (r"no date (?P<name>.*)", N_("No deadline can be counted from %(name)s.")),
    (r"of '(?P<name>.*)' is no kind of subject", N_("There is nothing of the kind %(name)s.")),
    (r"no move (?P<name>.*)", N_("There is no button %(name)s.")),
    (r"no kind (?P<name>.*)", N_("There is no kind of field %(name)s.")),
    (r"no fact (?P<name>.*)", N_("No condition can ask for %(name)s.")),
    (r"no state (?P<name>.*)", N_("There is no state %(name)s.")),
    (r"no event (?P<name>.*)", N_("There is no event %(name)s.")),
    (r"to '(?P<name>.*)' is nowhere", N_("No paper goes to %(name)s.")),
    (r"unknown key (?P<name>.*)", N_("Nobody knows what %(name)s means here.")),
    (r"unknown table", N_("Nobody knows what this table means.")),
    (r"(?P<name>\w+) must be a whole number from 1 to (?P<most>\d+)", N_("%(name)s must be a whole number from 1 to %(most)s.")),
    (r"spells must follow one another", N_("The hours must follow one another, such as 09:00-12:00, 13:00-18:00.")),
    (r"'(?P<name>.*)' is no span of time.*", N_("%(name)s is no span of time, such as 2 working days.")),
    (r".* is too long a span of time", N_("No span of time is longer than three years, in working hours than 200.")),
    (r"it must be an hour a day at least", N_("That is less than an hour a day.")),
    (r"it needs a name, and values of its own", N_("It needs a name, and values of its own.")),
    (r"it is too long|something lies too deep in something else|a number is too long",
     N_("This is too long, or lies too deep in something else.")),
    (r"no sanction (?P<name>.*)", N_("There is no sanction %(name)s.")),
    (r"only a fine or a compensation has an amount", N_("Only a fine or a compensation has an amount.")),
    (r"an amount is from 1 to .*", N_("An amount is more than nothing, and ¥100,000 at the most.")),
    (r"an amount is fixed, or from and to", N_("An amount is fixed, or from a lower to a higher one.")),
    (r"(?P<name>\w+) must be .*", N_("%(name)s cannot be what is written here.")),
    (r"is named by the program and must be there", N_("The program names it, so it must be there.")),
    (r"missing \d+ required (?:keyword-only |positional )?arguments?: (?P<name>.*)", N_("It lacks %(name)s.")),
    (r"'(?P<name>\w+)'", N_("It lacks %(name)s.")),
))  # fmt: skip


class Fault(NamedTuple):
    """Where: the table and the key of an entry, both empty where it is nowhere in particular; and what is wrong there."""

    table: str
    key: str
    wrong: Refused

    @property
    def place(self) -> str:
        return ".".join(filter(None, (self.table, self.key)))


def fault(text: str) -> Fault:
    """One of `RulebookError.faults`."""
    found = _PLACE.fullmatch(text)
    if found is None:
        at = _SYNTAX.fullmatch(text)
        if at:
            return Fault("", "", Refused(N_("Line %(line)s, column %(column)s cannot be read."), **at.groupdict()))
        return Fault("", "", _said(text.lstrip(": ")))
    return Fault(found["table"], found["key"] or "", _said(found["what"]))


def _said(what: str) -> Refused:
    for pattern, words in SAID:
        if match := pattern.fullmatch(what):
            return Refused(words, **match.groupdict())
    return Refused(N_("This cannot be read: %(what)s"), what=what)
