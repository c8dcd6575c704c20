"""A draft on its pages: begun, changed sheet by sheet, compared, issued; what is wrong is told beside its field."""

import re
import uuid
from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import editions, reading
from crm.duties import workflow as duties
from crm.duties.models import Acknowledgement, Duty, Edition, Notice
from crm.duties.reading import SETTINGS
from crm.errors import WrongState
from crm.rulebooks import workflow
from crm.rulebooks.models import Draft
from crm.rulebooks.sheets import NUMBERS, OTHER, SHEETS, deadlines, entries_of
from crm.rulebooks.text import Change, data_of, value_at
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from tests import make
from tests.rulebooks.drafts import begun, changed, events

DUE = "duty/ticket.progress/due"


@pytest.fixture
def draft(app) -> Draft:
    with unit_of_work():
        return begun()


@pytest.fixture
def director(browser, draft):
    return browser("director")


def saved(draft: Draft) -> dict:
    db.session.rollback()
    db.session.refresh(draft)
    return data_of(draft.body)


def test_a_draft_is_begun_from_the_edition_in_force_or_another_and_several_lie_side_by_side(browser, app):
    page = browser("director")
    assert 'value="R0001" selected' in page.get("/drafts/new").text or "R0001" in page.get("/drafts/new").text
    for number in ("W0001", "W0002"):
        answer = page.send("/drafts/new", title="明年的制度", base="R0001")
        assert answer.status_code == 303 and answer.location == f"/drafts/{number}"
    assert page.send("/drafts/new", title="", base="R0001").status_code == 422
    assert "明年的制度" in page.get("/drafts").text
    assert [draft.body for draft in db.session.query(Draft)] == [reading.shipped()] * 2


@pytest.mark.parametrize("key", SHEETS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_sheet_shows_what_stands_and_saving_it_unchanged_changes_nothing(director, draft, browser, key, language):
    page = browser("director", language)
    path = f"{draft.path}/{key}"
    assert page.get(path).status_code == 200
    assert page.send(path, page=path).status_code == 303
    db.session.refresh(draft)
    assert draft.body == reading.shipped() and draft.version == 1 and events("draft.changed") == []


def test_a_deadline_typed_in_chinese_is_understood_and_the_rest_of_the_text_stays(director, draft):
    path = f"{draft.path}/deadlines"
    assert director.send(path, page=path, **{DUE: "3天", "duty/ticket.complete/due": "1个工作日", "duty/visit.decide/warn": "半小时"}).status_code == 303
    duty = saved(draft)["duty"]
    assert duty["ticket.progress"]["due"] == "3 days" and duty["ticket.complete"]["due"] == "ended_at + 1 working day"
    assert duty["visit.decide"]["warn"] == "30m" and draft.version == 2
    assert "# 5.3: on-site visits" in draft.body
    (event,) = events("draft.changed")
    assert ["duty", "ticket.progress", "due"] in [path for path, _before, _after in event.facts["edits"]]
    assert [["duty", "visit.decide", "warn"], "1 working hour", "30m"] in event.facts["edits"]
    assert "within 3 days" in director.get(draft.path).text, "the story says what was changed"


def test_what_is_no_span_is_told_beside_its_field_and_every_word_is_kept(director, draft, browser):
    path = f"{draft.path}/deadlines"
    answer = director.send(path, page=path, **{DUE: "bald", "duty/visit.decide/due": "1 day"})
    assert answer.status_code == 422 and saved(draft)["duty"]["visit.decide"]["due"] == "4 working hours"
    assert 'value="bald"' in answer.text and 'value="1 day"' in answer.text and "Not a span of time" in answer.text
    assert f'href="#{DUE}"' in answer.text
    chinese = browser("director", "zh").send(path, page=path, **{DUE: "bald"})
    assert "这不是时限" in chinese.text


def check(page, path: str, **fields):
    token = page.token("/account")
    return page.post(f"{path}/check", {"csrf_token": token, **fields})


def test_what_is_typed_is_checked_as_it_is_typed_and_said_back_in_the_readers_language(director, draft, browser):
    path = f"{draft.path}/deadlines"
    answer = check(browser("director", "zh"), path, **{DUE: "3天", "duty/visit.decide/due": "4工时"}).json
    assert answer["wrong"] == {} and answer["said"][DUE] == "3天内，到最后一天24:00截止；遇休息日顺延到下一个工作日"
    assert answer["said"]["duty/visit.decide/due"] == "4个工作小时内"
    answer = check(browser("director", "zh"), path, **{DUE: "很快"}).json
    assert list(answer["wrong"]) == [DUE] and answer["wrong"][DUE].startswith("这不是时限")
    assert saved(draft)["duty"]["ticket.progress"]["due"] == "2 working days" and draft.version == 1


def test_a_check_may_be_sent_again_and_again_and_writes_nothing(director, draft, statements):
    path, token = f"{draft.path}/hours", director.token("/account")
    statements.clear()
    for _ in range(3):
        assert director.post(f"{path}/check", {"csrf_token": token, "hours/open": "9:00-12:00"}).json["wrong"] == {}
    assert not [one for one in statements if one.split()[0] in ("INSERT", "UPDATE", "DELETE")]
    assert director.post(f"{path}/check", {"hours/open": "9:00-12:00"}).status_code == 400, "with its token only"


@pytest.mark.parametrize(("key", "typed", "says"), [
    ("fines", {"penalty/7.5/amount": ""}, "A fine needs its amount."), ("fines", {"penalty/7.5/kind": "warning"}, "Only a fine has an amount."),
    ("fines", {"penalty/7.5/amount": "60-50"}, "One amount, or the least and the most"), ("fines", {"penalty/7.5/amount": "teuer"}, "An amount in yuan"),
    ("fines", {"penalty/7.5/amount": "20-50"}, "What is missed is fined by one amount"), ("fines", {"penalty/7.3/amount": "0"}, "An amount in yuan"),
    ("settings", {"settings/bad_mark": "0"}, "A whole number from 1 to 366"), ("settings", {"settings/bad_mark": "三"}, "A whole number"),
    ("hours", {"hours/open": "9-12"}, "Hours that follow one another"), ("hours", {"hours/open": "13:00-18:00, 9:00-12:00"}, "Hours that follow one another"),
    ("hours", {"hours/open": "25:00-26:00"}, "Hours that follow one another"), ("categories", {"category/bug/title/zh": ""}, "This is needed"),
    ("calls", {"duty/call.regular/due": ""}, "This is needed"),
])  # fmt: skip
def test_what_cannot_be_is_told_on_every_sheet_by_page_and_by_check_alike(director, draft, key, typed, says):
    path = f"{draft.path}/{key}"
    answer = director.send(path, page=path, **typed)
    assert answer.status_code == 422 and says in answer.text, re.findall(r'class="wrong"[^>]*>([^<]*)', answer.text)
    (form,) = [one for one in director.forms(path) if path in one["actions"]]
    told = director.post(f"{path}/check", {**form["fields"], **typed}).json["wrong"]
    assert list(told) and says in " ".join(told.values())


def test_fines_mandatory_fields_hours_calls_and_numbers(director, draft):
    def send(key: str, **typed):
        path = f"{draft.path}/{key}"
        answer = director.send(path, page=path, **typed)
        assert answer.status_code == 303, answer.text

    send("fines", **{"penalty/7.5/amount": "¥60", "penalty/3.7.fine/amount": "30至80元"})
    send("fields", **{"category/inquiry/before_complete": ["question", "answer", "tool"], "record/needs": ["contact", "channel"]})
    send("hours", **{"hours/open": "8:30-12:00、13：00-17:30"})
    send("calls", **{"duty/call.manager/due": "2个月", "duty/call.manager/where/grade": ["A"]})
    send("settings", **{"settings/bad_mark": "3", "duty/contract.notice/due": "45天", "duty/contract.remind_15/title/zh": "到期前提醒"})
    data = saved(draft)
    assert data["penalty"]["7.5"]["fen"] == 6000 and data["penalty"]["3.7.fine"] | {"from_fen": 3000, "to_fen": 8000} == data["penalty"]["3.7.fine"]
    assert data["category"]["inquiry"]["before_complete"] == ["question", "answer", "tool"] and data["record"]["needs"] == ["contact", "channel"]
    assert data["hours"]["open"] == ["08:30-12:00", "13:00-17:30"]
    assert data["duty"]["call.manager"]["due"] == "2 months" and data["duty"]["call.manager"]["where"] == {"grade": ["A"]}
    assert data["settings"]["bad_mark"] == 3 and data["duty"]["contract.notice"]["due"] == "ends_on - 45 days"
    assert data["duty"]["contract.remind_15"]["title"] == {"zh": "到期前提醒", "en": "First reminder before the end"}


def test_a_category_may_be_renamed_declared_or_taken_out_and_fines_follow(director, draft):
    path = f"{draft.path}/categories"
    typed = {"category/inquiry/title/en": "Question", "category/inquiry/declared": "y", "category/bug/gone": "y"}
    assert director.send(path, page=path, **typed).status_code == 303
    data = saved(draft)
    assert data["category"]["inquiry"]["title"]["en"] == "Question" and "bug" not in data["category"]
    listed = data["duty"]["ticket.complete"]["fine"][0]["where"]["category"]
    assert "inquiry" in listed and "bug" not in listed


def test_a_category_a_field_and_a_sanction_are_added_once(director, draft):
    for noun, sheet, typed in (
        ("category", "categories", {"key": "data_repair", "zh": "数据修复", "en": "Data repair", "declared": "y"}),
        ("field", "fields", {"key": "cause", "zh": "原因", "en": "Cause", "kind": "line"}),
        ("sanction", "fines", {"clause": "3.11", "kind": "fine", "amount": "100", "zh": "违反3.11：罚款", "en": "Breach of 3.11: fine"}),
    ):
        answer = director.send(f"{draft.path}/{noun}", page=f"{draft.path}/{sheet}", **typed)
        assert answer.status_code == 303 and answer.location == f"{draft.path}/{sheet}", answer.text
    data = saved(draft)
    assert data["category"]["data_repair"]["declared"] and "data_repair" in data["duty"]["ticket.complete"]["fine"][0]["where"]["category"]
    assert data["field"]["cause"]["kind"] == "line" and data["penalty"]["3.11.fine"]["fen"] == 10000
    again = director.send(f"{draft.path}/field", page=f"{draft.path}/fields", key="cause", zh="原因", en="Cause", kind="line")
    assert again.status_code == 422 and "There is one of this key already" in again.text and 'value="cause"' in again.text
    assert director.send(f"{draft.path}/field", page=f"{draft.path}/fields", key="Ünrat", zh="a", en="b", kind="line").status_code == 422
    assert director.send(f"{draft.path}/sanction", page=f"{draft.path}/fines", clause="3.11", kind="fine", amount="", zh="a", en="b").status_code == 422
    assert director.send(f"{draft.path}/sanction", page=f"{draft.path}/fines", clause="3.11", kind="fine", amount="9", zh="a", en="b").status_code == 303
    assert saved(draft)["penalty"]["3.11.fine2"]["fen"] == 900


def test_the_words_of_a_clause_are_changed_in_both_languages(director, draft):
    path = f"{draft.path}/clauses/7.5"
    typed = {"clause/7.5/text/zh": "每条罚款¥60。", "clause/7.5/text/en": "It costs ¥60 each.", "clause/7.5/ours/zh": "", "clause/7.5/ours/en": ""}
    assert director.send(path, page=path, **typed).location == f"{draft.path}/clauses#c-7.5"
    clause = saved(draft)["clause"]["7.5"]
    assert clause["text"] == {"zh": "每条罚款¥60。", "en": "It costs ¥60 each."} and "ours" not in clause
    assert director.get(f"{draft.path}/clauses/9.9").status_code == 404
    assert director.get(f"{draft.path}/clauses").text.count("clause-text") == 0


def test_a_clause_whose_words_tell_the_former_is_pointed_at(director, draft):
    with unit_of_work():
        workflow.change(db.session.get(Draft, draft.id), [Change(("penalty", "7.5", "fen"), 6000)], by=make.who("director"))
    assert f'href="{draft.path}/clauses/7.5"' in director.get(draft.path).text
    assert "something changed here, not its words" in director.get(f"{draft.path}/clauses").text


def test_the_text_itself_is_changed_by_parts_and_only_if_it_can_be_read(director, draft):
    path = f"{draft.path}/text/2"
    page = director.get(path)
    assert "What a record holds" in page.text and "[category.data_cleanup]" in page.text
    (form,) = [one for one in director.forms(path) if path in one["actions"]]
    text = form["fields"]["text"]
    assert director.send(path, page=path, text=text).status_code == 303 and saved(draft) and draft.body == reading.shipped()
    assert director.send(path, page=path, text=text.replace('"Tool used"', '"The tool"')).status_code == 303
    assert saved(draft)["field"]["tool"]["title"]["en"] == "The tool" and draft.version == 2
    answer = director.send(path, page=path, text=text.replace('clause = "5.1.2"', 'clause = "5.9"').replace("[record]", "[record"))
    assert answer.status_code == 422 and "cannot be read" in answer.text and "[record" in answer.text
    answer = director.send(path, page=path, text=text.replace('clause = "5.1.2"', 'clause = "5.9"'))
    assert answer.status_code == 422 and "There is no clause 5.9." in answer.text and "field.contact" in answer.text
    told = check(director, path, text=text.replace('clause = "5.1.2"', 'clause = "5.9"')).json["faults"]
    assert told == ["field.contact: There is no clause 5.9.", "field.department: There is no clause 5.9."]
    assert check(director, path, text=text).json["faults"] == []
    assert director.get(f"{draft.path}/text/99").status_code == 404 == check(director, f"{draft.path}/text/99", text="").status_code


def test_somebody_faster_makes_a_form_stale_and_both_are_shown(director, draft, browser):
    path = f"{draft.path}/deadlines"
    (form,) = [one for one in director.forms(path) if path in one["actions"]]
    assert browser("director").send(path, page=path, **{DUE: "4 days"}).status_code == 303
    answer = director.post(path, form["fields"] | {DUE: "5 days", "request_id": uuid.uuid4().hex})
    assert answer.status_code == 409 and 'value="5 days"' in answer.text and "4 days" in answer.text and "Saved now" in answer.text
    assert saved(draft)["duty"]["ticket.progress"]["due"] == "4 days"
    path = f"{draft.path}/text/4"
    (form,) = [one for one in director.forms(path) if path in one["actions"]]
    assert browser("director").send(f"{draft.path}/hours", page=f"{draft.path}/hours", **{"hours/open": "9:00-17:00"}).status_code == 303
    assert director.post(path, form["fields"] | {"request_id": uuid.uuid4().hex}).status_code == 409


def test_what_differs_is_told_in_words_on_a_page_and_counted_on_the_drafts(director, draft, browser):
    with unit_of_work():
        workflow.change(db.session.get(Draft, draft.id), [Change(("duty", "ticket.progress", "due"), "3 days"), Change(("penalty", "7.5", "fen"), 6000)], by=make.who("director"))
    assert "2 differences" in director.get(draft.path).text
    page = browser("manager", "zh").get(f"{draft.path}/differences").text
    assert "结束服务或转为等待" in page and "2个工作日内，到最后一天下班时截止" in page and "¥50" in page and "¥60" in page
    assert "不同之处" in page


def test_managers_read_drafts_and_only_the_director_changes_issues_or_discards_them(draft, browser):
    manager = browser("manager")
    for path in ("/drafts", draft.path, f"{draft.path}/deadlines", f"{draft.path}/differences", f"{draft.path}/clauses", f"{draft.path}/text/1"):
        assert manager.get(path).status_code == 200, path
    assert manager.send(f"{draft.path}/deadlines", page=f"{draft.path}/deadlines", **{DUE: "9 days"}).status_code == 403
    assert "Save in the draft" not in manager.get(f"{draft.path}/deadlines").text
    assert manager.send(f"{draft.path}/issue", holds_from="2026-12-01").status_code == 403
    assert manager.send(f"{draft.path}/category", page=f"{draft.path}/categories", key="x", zh="a", en="b").status_code == 403
    for role in ("specialist", "followup", "admin", "developer", "stranger"):
        assert browser(role).get(draft.path).status_code == 403
    assert saved(draft) == data_of(reading.shipped())


def issue(page, draft: Draft, day: str):
    return page.send(f"{draft.path}/issue", holds_from=day, as_worded="y")


def test_where_something_changed_and_not_its_clauses_words_whoever_issues_it_says_that_they_fit(director, draft, browser):
    with unit_of_work():
        workflow.change(db.session.get_one(Draft, draft.id), [Change(("penalty", "7.5", "fen"), 6000)], by=make.who("director"))
    assert "The words of these clauses fit as they are" in director.get(draft.path).text
    answer = director.send(f"{draft.path}/issue", holds_from="2026-12-24")
    assert answer.status_code == 422 and "Look at the words of these clauses first" in answer.text and 'value="2026-12-24"' in answer.text
    assert re.search(r'id="issue-as_worded-help">[^<]*7\.5', answer.text), "which they are"
    assert director.send(f"{draft.path}/issue", holds_from="2026-12-24", as_worded="false").status_code == 422, "that is not saying so"
    assert db.session.get_one(Draft, draft.id).issued_id is None
    assert issue(director, draft, "2026-12-24").status_code == 303


def test_who_was_asked_to_acknowledge_an_edition_is_told_that_it_was_taken_back(director, draft, browser):
    issue(director, draft, "2026-12-24")
    edition = db.session.get_one(Edition, db.session.get_one(Draft, draft.id).issued_id)
    with unit_of_work():
        duties.acknowledge(edition, by=make.who("specialist"))
    director.send(f"{draft.path}/recall", reason="日期填错")
    for login in ("specialist", "followup"):
        page = browser(login)
        assert f"{edition.number} " in page.get("/notices").text and "took the rulebook back" in page.get("/notices").text, login
    assert "took the rulebook back" not in director.get("/notices").text, "they did it themselves"


def test_who_may_not_change_a_draft_is_refused_whatever_is_wrong_with_what_they_sent(draft, browser):
    page = browser("manager")
    for path, said in (("text/1", {"version": "999", "text": "x"}), ("text/1", {}), ("calls", {"cadence": "x"}), ("deadlines", {})):
        assert page.send(f"{draft.path}/{path}", **said).status_code == 403, (path, said)


def test_an_issued_draft_is_an_edition_from_its_day_on_which_everybody_is_asked_to_acknowledge(director, draft):
    with unit_of_work():
        workflow.change(db.session.get(Draft, draft.id), [Change(("penalty", "7.5", "fen"), 6000)], by=make.who("director"))
        before = make.ticket(category="bug")
    assert issue(director, draft, "2026-12-01").status_code == 303
    db.session.rollback()
    edition = db.session.query(Edition).order_by(Edition.id.desc()).first()
    db.session.refresh(draft)
    assert (draft.state, draft.issued_id) == ("issued", edition.id) and edition.holds_from == clock.parse("2026-12-01")
    assert edition.state == "unconfirmed", "the director confirms its defaults as before"
    asked = db.session.query(Duty).filter_by(rule="rulebook.acknowledge", slot=edition.number).count()
    assert asked == len(make.CAST) and db.session.query(Acknowledgement).count() == 0
    assert db.session.query(Duty).filter_by(rule="rulebook.confirm", subject_id=edition.id).one().pool == "director"
    assert edition.path in director.get(draft.path).text
    before_id = before.id
    db.session.remove()  # which edition holds, a session looks up once
    with clock.frozen(clock.parse("2026-12-01T09:00")), unit_of_work():
        fens = []
        for one in (db.session.get(Ticket, before_id), make.ticket(category="bug")):
            tickets.start(one, by=make.who("specialist"))
            tickets.end(one, by=make.who("specialist"))
            fens.append(db.session.query(Duty).filter_by(subject_id=one.id, rule="ticket.complete").one().fine_fen)
    assert fens == [5000, 6000], "what is open keeps its own edition"


def test_it_holds_from_this_moment_if_from_today_and_never_backwards(director, draft):
    assert issue(director, draft, "2026-11-22").status_code == 422
    assert "That day is over" in issue(director, draft, "2026-11-22").text
    assert issue(director, draft, "2026-11-23").status_code == 303
    db.session.rollback()
    assert db.session.query(Edition).order_by(Edition.id.desc()).first().holds_from == make.MONDAY
    with unit_of_work():
        other = begun()
    assert issue(director, other, "2026-12-24").status_code == 303
    with unit_of_work():
        third = begun()
    answer = issue(director, third, "2026-12-24")
    assert answer.status_code == 422 and "An edition holds from that day or a later one already." in answer.text


def test_what_is_closed_is_not_changed_any_more(director, draft):
    assert director.send(f"{draft.path}/discarding", reason="").status_code == 422
    assert director.send(f"{draft.path}/discarding", reason="不改了").status_code == 303
    path = f"{draft.path}/deadlines"
    assert "This draft is closed" in director.get(path).text
    assert director.send(path, page=path, version="2", **{DUE: "9 days"}).status_code == 409
    assert director.send(f"{draft.path}/issue", holds_from="2026-12-01", version="2").status_code == 409
    assert director.send(f"{draft.path}/trials", page=draft.path, since="2026-07-01", until="2026-09-30").status_code == 409
    assert saved(draft)["duty"]["ticket.progress"]["due"] == "2 working days"


def test_a_draft_begun_before_an_edition_was_issued_says_so_and_is_compared_with_the_one_in_force(director, draft):
    with unit_of_work():
        other = changed(Change(("penalty", "7.5", "fen"), 9900))
        workflow.issue(other, by=make.who("director"), holds_from=clock.today())
    page = director.get(draft.path).text
    assert "in force is R0002 by now" in page and "1 difference" in page
    with clock.frozen(clock.now() + timedelta(days=1)):
        assert editions.book(editions.edition_id(clock.now())).penalties["7.5"].fen == 9900


def test_a_note_on_a_draft_is_told_nobody_by_itself(director, draft):
    assert director.send(f"{draft.path}/notes", page=draft.path, words="先问问大家").status_code == 303
    assert "先问问大家" in director.get(draft.path).text and db.session.query(Notice).count() == 0


def test_each_sheet_names_each_entry_once(app):
    with app.test_request_context():
        data, names = data_of(reading.shipped()), []
        for sheet in SHEETS.values():
            names += [entry.name for entry in entries_of(sheet.sections(data))]
    assert len(names) == len(set(names)) > 300
    assert value_at(data, ("duty", "ticket.progress")) is not None


def test_an_edition_begins_within_a_year(director, draft):
    """None holds before one that is issued: a slip of the year would keep every other from beginning."""
    answer = director.send(f"{draft.path}/issue", holds_from="2100-12-31")
    assert answer.status_code == 422 and "a year away" in answer.text


def test_every_number_and_every_duty_of_the_rulebook_has_a_title_on_its_page():
    data = data_of(reading.shipped())
    assert set(SETTINGS) == set(NUMBERS)
    assert OTHER not in [section.title for section in deadlines(data)]


def test_an_edition_that_does_not_hold_yet_is_taken_back_and_its_draft_changed_and_issued_again(director, draft, browser):
    director.send(f"{draft.path}/issue", holds_from=str(clock.today() + timedelta(days=30)))
    edition = db.session.get_one(Edition, db.session.get_one(Draft, draft.id).issued_id)
    owed = db.session.query(Duty).filter_by(rule="rulebook.acknowledge", slot=edition.number)
    assert owed.count() > 5 and 'id="take_back"' in director.get(draft.path).text
    assert browser("manager").send(f"{draft.path}/recall", reason="日期填错").status_code == 403
    assert director.send(f"{draft.path}/recall", reason="日期填错").status_code == 303
    db.session.expire_all()
    assert (edition.holds_from, edition.state) == (None, "withdrawn") and not any(duty.open for duty in owed)
    for path in (edition.path, draft.path, "/rulebook", "/drafts"):
        assert director.get(path).status_code == 200
    assert edition.number not in director.get("/rulebook").text and "It was taken back" in director.get(edition.path).text
    assert director.send(f"{draft.path}/issue", holds_from=str(clock.today() + timedelta(days=1))).status_code == 303
    with clock.frozen(clock.now() + timedelta(days=40)):
        assert editions.edition_id(clock.now()) == db.session.get_one(Draft, draft.id).issued_id != edition.id
        director = browser("director")  # the session of then has ended
        assert 'id="take_back"' not in director.get(draft.path).text
        with pytest.raises(WrongState), unit_of_work():  # what holds is changed by the next one
            workflow.take_back(db.session.get_one(Draft, draft.id), by=make.who("director"), reason="反悔")
        with pytest.raises(WrongState), unit_of_work():
            duties.withdraw_edition(db.session.get_one(Edition, db.session.get_one(Draft, draft.id).issued_id), by=make.who("director"))


def test_whoever_acknowledges_an_edition_reads_what_is_otherwise_than_before(director, draft, browser):
    with unit_of_work():
        workflow.change(db.session.get_one(Draft, draft.id), [Change(("penalty", "7.5", "fen"), 6000)], by=make.who("director"))
    assert issue(director, draft, str(clock.today() + timedelta(days=1))).status_code == 303
    edition = db.session.get_one(Edition, db.session.get_one(Draft, draft.id).issued_id)
    page = browser("specialist")
    told = page.get(edition.path).text
    assert "otherwise than in the edition before" in told and "¥50" in told and "¥60" in told
    assert "otherwise than" not in page.get("/rulebook").text, "the first has none before it"
