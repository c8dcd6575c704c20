"""Attachments: checked by their content, never served as a page, never somebody else's."""

import io
import os
import re
from datetime import timedelta

import pytest

from crm import clock, sweep
from crm.db import db, unit_of_work
from crm.errors import Invalid
from crm.files import store, workflow
from crm.files.kinds import kind_of
from crm.files.models import File
from tests import make

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20


@pytest.mark.parametrize(("name", "content", "kind"), [
    ("申请.pdf", make.PDF, "application/pdf"), ("a.PNG", PNG, "image/png"), ("a.jpeg", JPEG, "image/jpeg"),
    ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"), ("a.heic", b"\0\0\0\x18ftypheic", "image/heic"),
    ("a.txt", "凭证".encode(), "text/plain"), ("a.csv", b"a,b\n", "text/plain"),
    ("a.xlsx", b"PK\x03\x04....", "application/vnd.openxmlformats-officedocument"),
])  # fmt: skip
def test_a_file_is_what_its_name_and_its_content_say(name, content, kind):
    assert kind_of(name, content).media == kind


@pytest.mark.parametrize(("name", "content"), [
    ("a.html", b"<script>alert(1)</script>"), ("a.svg", b"<svg onload=alert(1)>"), ("a.jpg", b"<svg onload=alert(1)>"),
    ("a.png", JPEG), ("a.pdf", b"<html>"), ("a.exe", b"MZ"), ("a.xml", b"<?xml?>"), ("a", make.PDF), ("a.txt", b"a\0b"),
    ("a.pdf.html", make.PDF), ("a.webp", b"RIFF\0\0\0\0WAVE"), ("a.js", b"alert(1)"), ("a.xhtml", b"<html/>"),
])  # fmt: skip
def test_what_is_not_listed_or_not_what_it_claims_is_refused(app, name, content):
    assert kind_of(name, content) is None
    with pytest.raises(Invalid), unit_of_work():
        workflow.draft(name, content, make.who("specialist"))


@pytest.mark.parametrize(("given", "shown"), [
    ("../../etc/passwd.pdf", "passwd.pdf"), ("..\\..\\x.pdf", "x.pdf"), ("C:\\a\\申请.pdf", "申请.pdf"), ("a\r\nb.pdf", "ab.pdf"),
    ("\u202efdp.exe.pdf", "fdp.exe.pdf"), ("a\u200b.pdf", "a.pdf"), (".htaccess.pdf", "htaccess.pdf"),
    ("x" * 300 + ".pdf", "x" * 100 + ".pdf"), ("/.pdf", "pdf"), ("", "file"), ("..", "file"),
])  # fmt: skip
def test_a_name_is_shown_without_what_could_do_harm(given, shown):
    assert workflow.shown_name(given) == shown


def test_empty_and_too_large_files_are_refused_by_name(app, monkeypatch):
    monkeypatch.setattr(workflow, "LARGEST", 10)
    for content in (b"", make.PDF):
        with pytest.raises(Invalid) as refused, unit_of_work():
            workflow.draft("申请.pdf", content, make.who("specialist"))
        assert refused.value.params["name"] == "申请.pdf"


def upload(page, name="申请.pdf", content=make.PDF, purpose=""):
    return page.send("/files", page="/account", files={"file": (io.BytesIO(content), name)}, purpose=purpose)


def key_in(answer) -> str:
    return re.search(r'name="files" value="([0-9a-f]{32})"', answer.text)[1]


def test_a_draft_is_its_owners_alone(app, browser):
    key = key_in(upload(browser("specialist")))
    assert browser("specialist").get(f"/files/{key}").status_code == 200
    for other in ("specialist2", "manager", "admin"):
        assert browser(other).get(f"/files/{key}").status_code == 404
    with unit_of_work():
        path = make.ticket(by=make.who("specialist2")).path
    thief = browser("specialist2")
    form = next(f["fields"] for f in thief.forms(path) if f"{path}/notes" in f["actions"])
    stolen = thief.post(f"{path}/notes", form | {"words": "看", "files": key})
    assert stolen.status_code == 303
    db.session.rollback()
    assert db.session.query(File).one().subject_id is None


def test_a_file_is_always_a_download_and_never_a_page(app, browser):
    with unit_of_work():
        ticket = make.ticket(category="data_cleanup")
        make.filled(ticket)
        path = ticket.path
    page = browser("manager")
    answer = page.get(re.search(r"/files/[0-9a-f]{32}", page.get(path).text)[0])
    assert answer.status_code == 200 and answer.data == make.PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert (
        answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"]
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser("developer").get(answer.request.path).status_code == 404


def test_a_refused_form_comes_back_with_its_words_and_its_files(app, browser):
    with unit_of_work():
        path = make.ticket(category="data_cleanup").path
    page = browser("specialist")
    refused = page.send(
        f"{path}/closure", f_data="一月的凭证", files={"file_application": (io.BytesIO(make.PDF), "申请.pdf")}
    )
    assert refused.status_code == 422
    assert "一月的凭证" in refused.text and "申请.pdf" in refused.text
    key = key_in(refused)
    assert db.session.query(File).one().subject_id is None, "kept aside, as a draft"
    form = next(f["fields"] for f in page.forms(path) if f"{path}/closure" in f["actions"])
    done = page.post(f"{path}/closure", form | {"f_data": "一月的凭证", "f_tool": "工具", "files": key})
    assert done.status_code == 303
    assert db.session.query(File).one().subject_id is not None


def test_a_refused_new_record_keeps_its_files_too(app, browser):
    with unit_of_work():
        make.served_customer()
    refused = browser("specialist").send("/tickets/new", customer="K0001", title="", category="data_cleanup", channel="phone",
                                         files={"file_application": (io.BytesIO(make.PDF), "申请.pdf")})  # fmt: skip
    assert refused.status_code == 422 and "申请.pdf" in refused.text and key_in(refused)


def test_a_file_that_is_not_taken_is_named_at_its_field(app, browser):
    with unit_of_work():
        path = make.ticket(category="data_cleanup").path
    refused = browser("specialist").send(
        f"{path}/closure", f_data="一月的凭证", files={"file_application": (io.BytesIO(b"MZ"), "a.exe")}
    )
    assert refused.status_code == 422 and "a.exe is not taken" in refused.text and "一月的凭证" in refused.text


def test_taken_away_it_stays_in_the_history(app, browser):
    with unit_of_work():
        ticket = make.filled(make.ticket(category="data_cleanup"))
        path = ticket.path
    page = browser("specialist")
    removal = re.search(rf"{path}/files/[0-9a-f]{{32}}/removal", page.get(path).text)[0]
    assert page.send(removal, page=path).status_code == 303
    shown = page.get(path).text
    assert "took a file away" in shown and removal not in shown


def test_drafts_nobody_attached_go_after_two_days_with_their_bytes(app, browser):
    upload(browser("specialist"))
    path = store.path_of(db.session.query(File).one().sha256)
    assert path.exists()
    os.utime(path, (clock.now().timestamp(),) * 2)  # the test's day, not the machine's
    sweep.tick(clock.now() + timedelta(days=3))
    db.session.rollback()
    assert db.session.query(File).count() == 0 and not path.exists()


def test_too_large_a_request_is_refused_as_such(app, browser, served):
    served.config["MAX_CONTENT_LENGTH"] = 1000
    assert upload(browser("specialist"), content=make.PDF + b" " * 2000).status_code == 413
