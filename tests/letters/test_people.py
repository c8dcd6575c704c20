"""What people do with letters: read before they go, found out about, sent once more, printed together and posted."""

import re
from datetime import timedelta

import pytest
from flask import current_app
from markupsafe import escape

from crm import clock
from crm.contracts import paying
from crm.db import db, unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.message import Message
from crm.duties.models import Event
from crm.letters import letter
from crm.letters.delivery import NoAnswer, NotTaken
from crm.letters.outbox import send_due
from crm.letters.typeset import Printed
from tests import make
from tests.browsing import Browser
from tests.letters.post import SHEET, letters, owed


def page(login: str = "followup") -> Browser:
    return Browser(current_app._get_current_object(), login)


@pytest.fixture
def lost(queued, carrier) -> Message:
    """Sent, and nobody answered."""
    carrier.says = [NoAnswer("lost")]
    send_due(clock.now())
    return queued


def test_what_did_not_arrive_is_not_asked_again_but_can_be_sent_once_more_or_closed(lost, sound):
    path, mine = f"/outbox/{lost.id}", page()
    assert mine.send(f"{path}/outcome", arrived="no", words="财务说没收到").status_code == 303
    text = mine.get(path).text
    assert "it did not arrive" in text and "财务说没收到" in text and "王芳" in text, "the answer, and whose it is"
    assert "Did it arrive?" not in text and "found the letter refused" not in text
    assert "Send it once more" in text and "On paper, by post" in text and "It is not needed any more" in text
    assert mine.send(f"{path}/outcome", arrived="no", words="已经电话续签").status_code == 303
    assert owed("message.mend") == []
    text = mine.get(path).text
    assert "it is not needed any more" in text and "Note what became of it" not in text


def test_a_letter_sent_once_more_stands_in_the_place_of_the_one_before(lost, sound):
    mine = page()
    answer = mine.send(f"/outbox/{lost.id}/again", reason="财务没收到", paper="")
    new = letters()[-1].id
    assert answer.location.endswith(f"/outbox/{new}") and letters()[0].replaced_by_id == new
    assert f'href="/outbox/{new}"' in (text := mine.get(f"/outbox/{lost.id}").text) and "财务没收到" in text
    assert f'href="/outbox/{lost.id}"' in mine.get(f"/outbox/{new}").text
    assert f'href="/outbox/{lost.id}"' not in mine.get("/outbox?state=unknown").text
    assert "Sent once more" in mine.get("/outbox/export.csv").text


@pytest.mark.parametrize("answer", ["552 mailbox 100% full, 5% d %(why)s", "550 <b>no</b> %s"])
def test_what_a_mail_server_answers_is_no_format_and_no_markup(queued, carrier, answer):
    carrier.says = [NotTaken(answer, final=True)]
    send_due(clock.now())
    for path in (f"/outbox/{queued.id}", owed("message.mend")[0].subject.path):
        shown = page().get(path)
        assert shown.status_code == 200 and str(escape(answer)) in shown.text, path


def test_a_letter_is_read_before_it_goes(queued, carrier, monkeypatch):
    mine, path = page("specialist"), f"/outbox/{queued.id}"
    text = mine.get(path).text
    assert "kuaiji@example.com" in text and f'href="{path}/preview.pdf"' in text
    assert mine.get(f"{path}/preview.pdf").data == SHEET and letters()[0].state == "queued"
    send_due(clock.now())
    assert mine.get(f"{path}/preview.pdf").location.endswith(path), "it is gone: its page shows what was sent"


def test_the_demand_is_read_before_it_is_sent(app):
    with unit_of_work():
        contract = make.unpaid()
    text = page("specialist").get(contract.path).text
    assert f'href="{contract.path}/demand.pdf"' in text
    assert page("specialist").get(f"{contract.path}/demand.pdf").data.startswith(b"%PDF")
    assert letters() == []


@pytest.fixture
def posts(app) -> list[Message]:
    """Two notices for customers whom letters reach by post, made ready."""
    with unit_of_work():
        for name in ("甲厂", "乙厂"):
            unit = make.customer(name, full_name=f"{name}有限公司", email="", fax="", address=f"{name}路 1 号", by_post=True)
            make.contact(unit)
            make.in_force(unit)
    carry_out_due(clock.now())
    send_due(clock.now())
    return letters()


def test_what_waits_for_the_post_is_printed_as_one_file_and_marked_posted_row_by_row(posts, sound):
    mine = page()
    one = mine.get("/outbox/print.pdf").data
    assert len(re.findall(rb"/Type\s*/Page\b", one)) == 2
    first = mine.get(f"/outbox/print.pdf?letter={posts[0].id}").data
    assert len(re.findall(rb"/Type\s*/Page\b", first)) == 1
    with clock.frozen(clock.now() + timedelta(days=1)):
        mine = page()
        assert mine.send("/outbox/posting", page="/outbox", letter=[], on="2026-11-23").status_code == 422
        chosen = [str(one.id) for one in posts]
        answer = mine.send("/outbox/posting", page="/outbox", letter=chosen, on="2026-11-24")
        assert answer.status_code == 303 and (text := mine.get(answer.location).text).count("posted") >= 2
        assert "2 of 2 done" in text and "甲厂" in text and "乙厂" in text
    assert {one.state for one in letters()} == {"sent"} and owed("message.post") == []
    text = page().get(f"/outbox/{posts[0].id}").text
    assert "posted the letter (2026-11-24)" in text.replace("\n", "") and "sent the letter" not in text


def test_one_that_cannot_be_marked_holds_no_other_up(posts):
    with unit_of_work():
        db.session.get(Message, posts[1].id).queued_at = clock.now() + timedelta(days=2)
    mine = page()
    answer = mine.send("/outbox/posting", page="/outbox", letter=[str(one.id) for one in posts], on="2026-11-23")
    assert "1 of 2 done" in (text := mine.get(answer.location).text) and "not posted" in text
    assert [one.state for one in letters()] == ["sent", "queued"]


def test_only_a_letter_that_is_posted_bears_the_address(posts, queued_mail, monkeypatch):
    drawn = []
    monkeypatch.setattr(letter, "typeset", lambda sheet, by: drawn.append(sheet) or Printed(SHEET, ()))
    for one in letters():
        letter.prepare(one)
    assert [sheet.address for sheet in drawn] == ["甲厂路 1 号", "乙厂路 1 号", ""]
    assert drawn[0].attention == "王会计 收" and drawn[0].to == "甲厂有限公司"


@pytest.fixture
def queued_mail(posts) -> Message:
    with unit_of_work():
        make.in_force(make.customer("丙厂", email="a@example.cn", address="丙厂路 1 号"))
    carry_out_due(clock.now())
    return letters()[-1]


def test_a_letter_that_lies_for_the_post_says_so_on_its_contract(posts):
    of = db.session.get(make.Subject, posts[0].subject_id)
    text = page("specialist").get(of.path).text
    assert "Written on paper: it waits to be printed and posted." in text and "sending hours" not in text


def test_nobody_is_said_to_have_found_a_letter_refused_who_did_not(lost):
    page().send(f"/outbox/{lost.id}/outcome", arrived="no", words="没收到")
    told = db.session.query(Event).filter_by(subject_id=lost.subject_id, kind="message.rejected").one()
    assert told.actor_id == make.who("followup").id
    assert "noted that the letter did not reach the customer" in page().get(f"/outbox/{lost.id}").text


def test_a_demand_that_is_not_owed_any_more_is_not_offered(app):
    with unit_of_work():
        contract = make.unpaid()
        paying.pay(contract, by=make.who("specialist"), fen=contract.amount_fen, paid_on=clock.today())
    assert "demand.pdf" not in page("specialist").get(contract.path).text
