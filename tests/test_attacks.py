"""What an attacker tried and got through with once; none of it again."""

import io
import time
import uuid
import zipfile

import pytest

from crm import clock, sweep
from crm.catalogue import CATALOGUE, MOST, said
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event
from crm.errors import Forbidden, Invalid, WrongState
from crm.files import workflow as files
from crm.staff import workflow as staff
from crm.staff.models import Access
from crm.tickets import workflow
from crm.tickets.models import State, Ticket
from tests import make

NEXT_DAY = clock.parse("2026-11-24T09:00")


@pytest.mark.parametrize("path", ["/login", "/tickets/new", "/customers/new"])
def test_heaps_of_accents_hold_nobody_up(app, browser, path):
    page = browser(None if path == "/login" else "specialist")
    token = page.token(path)
    heap = "a" + "\u0301\u0323" * 40_000
    began = time.monotonic()
    fields = {"csrf_token": token, "request_id": uuid.uuid4().hex, "login": heap, "title": heap, "short_name": heap}
    assert page.post(path, fields).status_code == 400
    assert page.post(path, fields | {"login": "x" * 100_001}).status_code == 413
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("path", "fields"), [
    ("/customers/K0001/installations/new", {"brand": "金洋", "product_name": "财务通", "use": " "}),
    ("/customers/K0001/edit", {"state": "  "}), ("/customers/K0001/edit", {"grade": " "}), ("/customers/new", {"short_name": "乙", "owner_id": " "}),
    ("/tickets/T2611-0001/edit", {"priority": " "}), ("/tickets/T2611-0001/edit", {"contact": " "}),
])  # fmt: skip
def test_a_blank_is_none_of_the_choices(app, browser, path, fields):
    with unit_of_work():
        make.ticket()
    page = browser("specialist")
    assert page.send(path, page=path, **fields).status_code == 422
    for shown in ("/customers/K0001", "/installations", "/tickets/T2611-0001", "/customers"):
        assert page.get(shown).status_code == 200


@pytest.mark.parametrize(
    "text", ["9999-99-99T99:99:99Z", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
)
def test_words_that_look_like_a_time_are_words(app, browser, text):
    with unit_of_work():
        make.ticket()
    page = browser("specialist")
    assert page.send("/customers/K0001/edit", remark=text).status_code == 303
    assert page.send("/tickets/T2611-0001/edit", title=text).status_code == 303
    for shown in ("/customers/K0001", "/tickets/T2611-0001"):
        assert text in page.get(shown).text


def ended(category: str = "bug") -> Ticket:
    ticket = make.ticket(category=category)
    workflow.start(ticket, by=make.who("specialist"))
    workflow.end(ticket, by=make.who("specialist"))
    return ticket


def recategorise(ticket: Ticket, category: str, by: str = "specialist") -> None:
    contact = db.session.get(make.Contact, ticket.contact_id)
    workflow.edit_ticket(ticket, by=make.who(by), contact=contact, department="财务部", category=category, title="报错")


def test_another_category_over_the_deadline_does_not_lose_the_fine(app):
    with unit_of_work():
        ticket = ended()
        recategorise(ticket, "inquiry")
    sweep.tick(NEXT_DAY)
    with clock.frozen(NEXT_DAY), unit_of_work():
        recategorise(db.session.get(Ticket, ticket.id), "bug")
    owed = db.session.query(Duty).filter_by(rule="ticket.complete").one()
    assert owed.breached_by_id and owed.fine_fen == 5000
    assert db.session.query(Event).filter_by(kind="duty.repriced").one().facts["owner"] == make.who("specialist").id


def test_a_password_record_is_not_opened_to_others_by_its_category(app, browser):
    with unit_of_work():
        ticket = make.filled(make.ticket(category="admin_password"))
    with pytest.raises(Invalid), unit_of_work():
        recategorise(ticket, "inquiry")
    with unit_of_work():
        recategorise(db.session.get(Ticket, ticket.id), "inquiry", by="manager")


def draft(purpose: str, login: str = "specialist") -> str:
    file = files.draft("a.pdf", make.PDF, make.who(login), purpose)
    db.session.add(file)
    db.session.flush()
    return file.key


def test_a_file_fills_no_field_of_words(app):
    with unit_of_work():
        ticket = make.ticket(category="bug")
        keys = [draft(purpose) for purpose in ("steps", "error_message", "requirement")]
        with pytest.raises(workflow.Incomplete) as refused:
            workflow.complete(ticket, by=make.who("specialist"), fields={}, files=keys)
        assert len(refused.value.gaps) == 3


def test_a_note_by_another_brings_no_application(app):
    with unit_of_work():
        ticket = make.ticket(category="data_cleanup")
        workflow.note(ticket, by=make.who("followup"), words="看", files=[draft("application", "followup")])
        with pytest.raises(workflow.Incomplete):
            workflow.start(ticket, by=make.who("specialist"))


def test_nothing_is_taken_away_from_a_complete_record(app):
    with unit_of_work():
        ticket = make.filled(make.ticket(category="data_cleanup"))
        workflow.complete(ticket, by=make.who("specialist"))
        file = db.session.query(files.File).one()
        with pytest.raises(WrongState):
            workflow.detach(ticket, file, by=make.who("specialist"))
        assert ticket.state == State.COMPLETE


def test_nobody_asks_for_more_time_to_read_the_rulebook(app, browser):
    mine = db.session.query(Duty).filter_by(subject_id=make.who("specialist").id).one()
    answer = browser("specialist").send(
        f"/duties/{mine.id}/extension", page=f"/duties/{mine.id}/extension", reason="忙", wanted="2026-12-01T18:00"
    )
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "query",
    [
        "before=99999&endpoint=x",
        "_anchor=x&before=9",
        "_external=1&before=9",
        "_method=GET&_scheme=ftp&before=9",
        "number=K0001",
    ],
)
def test_a_parameters_name_is_only_a_name(app, browser, query):
    with unit_of_work():
        make.ticket()
    page = browser("manager")
    for path in ("/tickets", "/customers", "/duties", "/installations", "/customers/K0001"):
        assert page.get(f"{path}?{query}").status_code == 200, path


def test_a_referrer_that_is_none_leads_home(app, browser):
    page = browser()
    token = page.token("/login")
    page.headers |= {"Referer": "http://["}
    answer = page.post("/customers/new", {"csrf_token": token})
    assert answer.status_code in (302, 400)


def test_an_answer_before_the_question_is_told_at_its_field(app, browser):
    with unit_of_work():
        path = make.ticket(answered_at=None).path
    answer = browser("specialist").send(f"{path}/details", answered_at="2026-11-23T08:00", f_answer="先过账")
    assert answer.status_code == 422 and "before the customer asked" in answer.text and "先过账" in answer.text


def test_a_static_file_carries_no_session(browser):
    page = browser("specialist")
    with clock.frozen(clock.parse("2026-11-23T09:10")):
        assert "Set-Cookie" not in page.get("/static/app.css").headers
    assert page.get("/static/nothing").headers["Cache-Control"] == "no-store"


def test_nobody_sets_their_own_password_as_an_administrator(app, browser):
    number = make.who("admin").number
    answer = browser("admin").send(f"/staff/{number}/password", password="a new long password")
    assert answer.status_code == 403


def test_nobody_gives_themselves_a_role_nor_shuts_themselves_out(app):
    admin = make.who("admin")
    for roles, active in ((["admin", "director"], True), (["admin"], False)):
        with pytest.raises(Forbidden), unit_of_work():
            staff.edit_user(make.who("admin"), by=admin, roles=roles, active=active)
    assert make.who("admin").roles == {"admin"}


def test_an_inactive_account_is_out_even_with_a_session_that_nobody_ended(app, browser):
    page = browser("specialist")
    with unit_of_work():
        make.who("specialist").state = "inactive"
    assert page.get("/").status_code == 302


def test_whoever_came_in_starts_afresh_with_wrong_passwords(browser):
    for _round in range(2):
        page = browser()
        for _try in range(9):
            assert page.log_in("specialist", "wrong").status_code == 422
        assert page.log_in("specialist").status_code == 303


def test_whoever_lost_a_role_logs_in_anew(app, browser):
    page = browser("manager")
    with unit_of_work():
        staff.edit_user(make.who("manager"), by=make.who("admin"), roles=["followup"], active=True)
    assert page.get("/").status_code == 302


def test_a_small_workbook_that_says_one_long_text_many_times_is_refused(app, browser):
    rows = "".join(
        f'<row r="{r}">' + "".join('<c t="s"><v>0</v></c>' for _ in range(200)) + "</row>" for r in range(1, 400)
    )
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "[Content_Types].xml",
            '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            "xl/workbook.xml",
            '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/s.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        )
        book.writestr(
            "xl/sharedStrings.xml",
            f'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{"é" * 2000}</t></si></sst>',
        )
        book.writestr(
            "xl/worksheets/s.xml",
            f'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>',
        )
    answer = browser("specialist").send("/customers/import", files={"file": (io.BytesIO(bomb.getvalue()), "a.xlsx")})
    assert answer.status_code == 422, answer.status_code


@pytest.mark.parametrize(("path", "name"), [
    ("/tickets/new", "title"), ("/tickets/T2611-0001/details", "f_question"), ("/account/password", "present"), ("/customers/new", "users"),
])  # fmt: skip
def test_a_file_where_words_belong_is_not_words(app, browser, path, name):
    with unit_of_work():
        make.ticket()
    page = browser("specialist")
    answer = page.post(path, {"csrf_token": page.token("/account"), "request_id": uuid.uuid4().hex, "version": "1",
                              name: (io.BytesIO(b"words"), "a.txt")}, multipart=True)  # fmt: skip
    assert answer.status_code in (303, 409, 422)


@pytest.mark.parametrize("sent", [[], 1, {"login": 1, "password": {}}, {"login": ["x"]}])
def test_json_is_no_form(browser, sent):
    page = browser()
    answer = page.client.post("/login", json=sent, headers={"X-CSRFToken": page.token("/login")})
    assert answer.status_code == 422


def test_what_is_refused_to_a_form_stands_in_the_access_log(app, browser):
    with unit_of_work():
        path = make.ticket(category="admin_password").path
    assert browser("specialist2").send(f"{path}/start").status_code == 404
    assert db.session.query(Access).filter_by(kind="beyond", path=f"POST {path}/start").count() == 1


def test_many_long_values_together_are_too_much(browser):
    page, body = browser(), b"&".join([b"login=" + b"%E6%B1%89" * 50_000] * 40)
    began = time.monotonic()
    answer = page.client.post("/login", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413 and time.monotonic() - began < 2


@pytest.mark.parametrize("sent", [b"a%00b", b"%ED%A0%80"])
def test_what_no_database_keeps_is_refused_at_the_door(browser, sent):
    page = browser()
    body = b"login=" + sent + b"&password=x&csrf_token=" + page.token("/login").encode()
    answer = page.client.post("/login", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == (400 if b"%00" in sent else 422), (
        "half a pair is read as a sign for what cannot be read"
    )


def test_a_plain_form_is_bounded_even_where_it_says_nothing(browser):
    answer = browser().client.post("/login", data=b"&" * 3_000_000, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413


def test_a_form_s_complaint_about_what_was_sent_is_not_markup(app, browser):
    page = browser("admin")
    answer = page.send("/settings/access", roles="--><i zq9>")
    assert answer.status_code == 422
    assert "<i zq9>" not in answer.text


def test_what_is_said_in_a_page_is_never_markup_of_its_own(app):
    with app.test_request_context():
        assert said("<b>%(who)s</b>", who="<i>") == "&lt;b&gt;&lt;i&gt;&lt;/b&gt;"
        for i in range(MOST + 10):
            said(f"typed {i}")
        assert len(CATALOGUE.held()[2]) <= MOST


@pytest.mark.parametrize("path", ["/login", "/logout", "/tickets/new", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_part_without_a_name_is_no_form(browser, method, path):
    part = b"--x\r\nContent-Disposition: form-data\r\n\r\nhi\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert browser().client.open(path, method=method, data=part, headers=kind).status_code == 400


def test_whoever_is_held_up_at_the_door_is_told_when_to_try_again(browser):
    page = browser()
    answers = [page.send("/login", login="specialist", password=f"wrong {i}") for i in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert answers[-1].headers["Retry-After"] and "Retry-After" not in answers[0].headers


def test_what_pages_are_made_of_is_in_no_log_of_files(app, browser):
    page = browser("specialist")
    for name in ("app.css", "app.js", "icon.svg"):
        answer = page.get(f"/static/{name}")
        assert answer.status_code == 200
    db.session.rollback()
    assert not db.session.query(Access).filter_by(kind="taken").count()
