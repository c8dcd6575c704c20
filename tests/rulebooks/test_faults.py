"""Every fault of a rulebook is told in words of the reader's language."""

import pytest

from crm.duties import reading
from crm.duties import workflow as duties
from crm.duties.rulebook import RulebookError
from crm.penalties.models import Sanction
from crm.rulebooks.faults import fault
from crm.rulebooks.workflow import Unfit, check, faults_of

TEXT = reading.shipped()
BROKEN = {
    'clause = "5.1.3"\ntitle = {zh = "完成服务记录"': 'clause = "9.9"\ntitle = {zh = "完成服务记录"',
    'due = "2 working days"\nwarn = "4 working hours"\nmove = "end"': 'due = "two days"\nmove = "end"',
    'before_work = ["application"]\nbefore_complete = ["data", "tool"]': 'before_complete = ["data", "hammer"]',
    "longest_wait_days = 30": "longest_wait_days = 0", "bad_mark = 2 ": "good_mark = 2 ", "bad_mark = 2  ": "bad_mark = 9  ",
    'owner = "pool:manager"\nmove = "settle"': 'owner = "somebody"\nmove = "settle"', 'move = "settle"': 'move = "jump"',
    'fine = [{clause = "7.6"}]': 'fine = [{clause = "3.8"}]', 'open = ["09:00-12:00", "13:00-18:00"]\n\n[sending]': 'open = ["13:00-18:00", "09:00-12:00"]\n\n[sending]',
    'due = "ended_at + 0 working days"': 'due = "begun_at + 0 working days"', 'opens = "ticket.escalated"': 'opens = "ticket.exploded"',
    'where = {state = "ended"}\nkeeps = "ticket.completed"': 'where = {state = "finished"}\nkeeps = "ticket.completed"',
    "where = {called_back = true}": "where = {called = true}", 'of = "callback"\ndue = "1 working day"\nowner = "pool:followup"\nothers = true\nmove = "call"\n\n[duty."call.expiry"]': 'of = "phone"\ndue = "1 working day"\n\n[duty."call.expiry"]',
    'kind = "line"\n\n[field.report_name]': 'kind = "wish"\n\n[field.report_name]', '[penalty."7.3"]\nkind': '[penalty."7.33"]\nkind', 'paper = "contract"': 'paper = "napkin"',
    'to = "relations"': 'to = "moon"', 'title = {zh = "回访处理结果", en = "Call back on the outcome"}': 'title = {zh = "回访处理结果"}',
    'lost = "7.3"\ndue = "5 working days"\nours = true\n\n[duty."paper.change_request"]': 'lost = "7.99"\ndue = "5 working days"\nours = true\n\n[duty."paper.change_request"]',
    'owner = "pool:director"\nmove = "weigh"': 'owner = "pool:developer"\nmove = "weigh"', 'keeps = "ticket.settled"': "keeps = []", '[chapter."10"]': '[chapter."11"]', 'fen = 50000\ntitle': 'fen = 50000\nper_head = 3\ntitle', "[settings]": "[setting]",
    'due = "2 working days"\nwarn = "4 working hours"': 'due = "2 working days"\nwarn = "3 working days"',
    'opens = "ticket.settled"\n': "\n", "[hours]\n": "[hours\n",
}  # fmt: skip


@pytest.mark.parametrize("old", BROKEN)
def test_a_broken_rulebook_is_told_what_is_wrong_in_words_that_are_translated(app, old):
    assert TEXT.count(old) >= 1
    broken = TEXT.replace(old, BROKEN[old], 1)
    with pytest.raises(RulebookError) as wrong:
        duties.check_rulebook(broken)
    told = [fault(one) for one in wrong.value.faults]
    assert told and not [one for one in told if one.wrong.message.startswith("This cannot be read")], wrong.value.faults
    assert faults_of(broken) and not faults_of(TEXT)


def test_a_fault_says_where_it_stands():
    told = fault("[duty.ticket.progress]: no clause 9.9")
    assert (told.table, told.key, told.place) == ("duty", "ticket.progress", "duty.ticket.progress")
    assert fault("[clause.7.5] text: needs both zh and en").key == "7.5"
    assert fault("Expected '=' after a key (at line 3, column 5)").wrong.params == {"line": "3", "column": "5"}
    assert fault("something new").wrong.params == {"what": "something new"}


def test_what_is_no_rulebook_is_refused_with_every_fault(app):
    with pytest.raises(Unfit) as wrong:
        check({"duty": {"a": {}}, "nonsense": {}})
    assert len(wrong.value.faults) >= 2


HOSTILE = {
    "a name of a thousand parts": "a." * 1000 + "b = 1", "quoted": '"a".' * 1000 + "b = 1", "quoted either way": "'a'." * 1000 + "b = 1", "spaced": "x = { " + "a . " * 50 + "b = 1 }",
    "brackets in brackets": "zz = " + "[" * 3000, "a very long number": "x = " + "9" * 5000, "settings = 5": "settings = 5",
    "hours = 5": "hours = 5", "a table that is none": "category = 5", "no deadline": '[duty."x"]\ndue = ""',
    "a clause without a name": '[clause.""]\ntitle = {zh = "", en = ""}', "needs = 5": "[record]\nneeds = 5",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_that_is_meant_to_break_the_reader_is_refused(app, text):
    found = faults_of(text)
    assert found and not [one for one in found if one.wrong.message.startswith("This cannot be read")], found


@pytest.mark.parametrize("line", [
    "fen = -2000", "fen = 0", "fen = 99999999999", 'fen = "x"', "fen = 0.5", "fen = nan", "fen = [1]", "fen = true",
    "from_fen = 100", "fen = 100\nfrom_fen = 1\nto_fen = 2", "from_fen = 5\nto_fen = 5",
])  # fmt: skip
def test_a_fine_is_an_amount_that_can_be_paid(app, line):
    assert TEXT.count('[penalty."7.4"]\nkind = "fine"\nunrecorded = true\nfen = 3000\n') == 1
    assert faults_of(TEXT.replace('[penalty."7.4"]\nkind = "fine"\nunrecorded = true\nfen = 3000\n', f'[penalty."7.4"]\nkind = "fine"\nunrecorded = true\n{line}\n'))
    assert faults_of(TEXT.replace('[penalty."7.4"]\nkind = "fine"', '[penalty."7.4"]\nkind = "hanging"'))


@pytest.mark.parametrize("span", ["9999 years", "999 months", "9999 working hours"])
def test_no_deadline_lies_beyond_reach(app, span):
    assert faults_of(TEXT.replace('due = "2 working days"\nwarn = "4 working hours"', f'due = "{span}"\nwarn = "4 working hours"'))


def test_the_kinds_of_sanction_are_those_of_penalties():
    assert tuple(Sanction) == reading.SANCTIONS
