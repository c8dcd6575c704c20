"""What differs between two rulebooks, value by value, and in words."""

import pytest
from flask_babel import force_locale

from crm.duties import reading
from crm.rulebooks.differences import between, clause_of, unsaid
from crm.rulebooks.following import with_fines
from crm.rulebooks.sayings import Sayer
from crm.rulebooks.text import Change, applied, data_of
from crm.rulebooks.untried import ACTS, FINES, LETTERS, NUMBERS, WORK, untried

DATA = data_of(reading.shipped())


def told(*changes: Change, language: str = "en", app=None) -> list:
    after = applied(DATA, changes)
    with app.test_request_context(), force_locale({"zh": "zh_Hans_CN"}.get(language, language)):
        return Sayer(DATA, after).lines(between(DATA, after))


def test_the_same_differs_in_nothing():
    assert between(DATA, DATA) == []
    again = applied(DATA, [Change(("duty", "ticket.complete", "keeps"), ["ticket.completed"])])
    assert between(DATA, again) == [], "a single name means the same as a list of it"


def test_a_deadline_in_words_before_and_after(app):
    (line,) = told(Change(("duty", "ticket.progress", "due"), "3 days"), app=app)
    assert (line.clause, line.ours, line.title, line.what) == ("ours.progress", True, "End the service or set it waiting", "Deadline")
    assert line.before == "within 2 working days, by closing time of the last day"
    assert line.after == "within 3 days, by 24:00 of the last day; on a day off, of the next working day"
    (line,) = told(Change(("duty", "ticket.progress", "due"), "3 days"), app=app, language="zh")
    assert line.title == "结束服务或转为等待" and line.after.startswith("3天内")


@pytest.mark.parametrize(("change", "what", "before", "after"), [
    (Change(("penalty", "7.5", "fen"), 6000), "Amount", "¥50", "¥60"),
    (Change(("penalty", "7.5", "kind"), "warning"), "Kind", "Fine", "Written warning"),
    (Change(("settings", "bad_mark"), 3), "A mark as low as this goes to the manager", "2", "3"),
    (Change(("hours", "open"), ["08:30-12:00"]), "Working hours", "09:00-12:00, 13:00-18:00", "08:30-12:00"),
    (Change(("category", "data_cleanup", "before_complete"), ["data"]), "Needed before it is complete", "Data to be cleared, Tool used", "Data to be cleared"),
    (Change(("category", "bug", "declared"), None), "Must be declared", "yes", "—"),
    (Change(("duty", "visit.write_up", "fine"), None), "A miss costs", "¥30 (7.4)", "—"),
    (Change(("duty", "visit.decide", "owner"), "pool:director"), "Who owes it", "Service manager", "Service director"),
    (Change(("duty", "ticket.progress", "keeps"), "ticket.ended"), "Is kept by", "ended the service, set it waiting", "ended the service"),
    (Change(("duty", "visit.decide", "warn"), "30m"), "Reminder before the deadline", "1 working hour before", "30 minutes before"),
    (Change(("clause", "7.6", "title"), {"zh": "甲", "en": "Late form"}), "Title", "Implementation form late", "Late form"),
    (Change(("category", "repair"), {"title": {"zh": "修复", "en": "Repair"}}), "Category", "—", "Repair"),
    (Change(("penalty", "7.2"), None), "Sanction", "Three or more complaints in half a year: demotion or dismissal recommended", "—"),
    (Change(("record", "needs"), ["contact"]), "Needed of every record", "Contact, Contact's department, Channel, Service QQ, When the customer asked, When first answered", "Contact"),
])  # fmt: skip
def test_each_kind_of_value_is_said_as_a_person_says_it(app, change, what, before, after):
    (line,) = told(change, app=app)
    assert (line.what, line.before, line.after) == (what, before, after)


def test_the_clause_an_entry_stands_on():
    assert clause_of(("duty", "ticket.complete", "due"), DATA) == "5.1.3"
    assert clause_of(("penalty", "7.5", "fen"), DATA) == "7.5" and clause_of(("penalty", "3.9.late", "fen"), DATA) == "3.9"
    assert clause_of(("settings", "bad_mark"), DATA) == ""


def test_a_clause_whose_words_still_tell_the_former_is_named():
    after = applied(DATA, [Change(("penalty", "7.5", "fen"), 6000), Change(("duty", "visit.write_up", "due"), "2 working days")])
    assert unsaid(between(DATA, after), after) == ["5.3.6", "7.5", "7.4"], "what a miss costs tells its deadline, too"
    after = applied(after, [Change(("clause", "7.5", "text"), {"zh": "罚款¥60", "en": "¥60"})])
    assert unsaid(between(DATA, after), after) == ["5.3.6", "7.4"]
    after = applied(DATA, [Change(("duty", "ticket.complete", "due"), "ended_at + 2 working days")])
    assert unsaid(between(DATA, after), after) == ["5.1.3", "7.5"], "the default of 7.5 tells the deadline, too"


def test_what_must_be_declared_is_fined_where_the_others_are_and_what_need_not_be_is_not():
    changes = with_fines([Change(("category", "inquiry", "declared"), True), Change(("category", "bug", "declared"), None)], DATA)
    (fine,) = changes[-1].value
    assert changes[-1].path == ("duty", "ticket.complete", "fine") and fine["where"]["category"] == ["data_cleanup", "report_problem", "admin_password", "program_change", "inquiry"]
    assert with_fines([Change(("settings", "bad_mark"), 3)], DATA) == [Change(("settings", "bad_mark"), 3)]
    gone = with_fines([Change(("category", "bug"), None)], DATA)
    assert "bug" not in gone[-1].value[0]["where"]["category"]


@pytest.mark.parametrize(("change", "why"), [
    (Change(("settings", "longest_wait_days"), 10), NUMBERS), (Change(("duty", "contract.notice", "due"), "ends_on - 2 months"), ACTS),
    (Change(("penalty", "7.3", "fen"), 6000), FINES), (Change(("sending", "open"), ["10:00-11:00"]), LETTERS),
    (Change(("category", "bug", "before_work"), ["steps"]), WORK), (Change(("penalty", "7.5", "fen"), 6000), None),
    (Change(("duty", "ticket.progress", "due"), "1 day"), None), (Change(("category", "bug", "before_complete"), ["steps"]), None),
])  # fmt: skip
def test_what_no_trial_can_tell_is_said(change, why):
    after = applied(DATA, [change])
    assert untried(between(DATA, after), after) == ([why] if why else [])
