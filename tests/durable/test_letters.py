"""The bytes of letters are looked after like those of files; what waited when a backup was made is held, not sent."""

from datetime import timedelta

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.durable import backup, checks, restore
from crm.duties.acts import carry_out_due
from crm.duties.message import Message
from crm.duties.models import Duty
from crm.files import store
from crm.files import workflow as files
from crm.files.workflow import forget_drafts
from crm.letters import letter, outbox
from tests import make
from tests.durable.spoiling import LEFT_OUT, found, spoil

SHEET = make.PDF + b"a letter"


@pytest.fixture
def sent(worked, monkeypatch):
    """One letter is sent, one waits, one is due tomorrow."""
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    with unit_of_work():
        make.in_force()
    carry_out_due(clock.now())
    assert outbox.send_due(clock.now()) == 1
    with unit_of_work():
        make.in_force()
        make.in_force(ends_on=clock.today() + timedelta(days=31))
    carry_out_due(clock.now())
    db.session.rollback()
    return worked


def letters() -> list[Message]:
    db.session.rollback()
    return db.session.query(Message).order_by(Message.id).all()


def test_nothing_is_found_where_letters_are_sent_and_wait(sent, database):
    assert found() == LEFT_OUT[database]


@pytest.mark.parametrize(("statement", "what"), [
    ("UPDATE messages SET mail_sha256 = NULL WHERE state = 'sent'", "every letter that was sent is kept as it was"),
    ("UPDATE messages SET state = 'sending', ended_at = NULL, lease_until = '2026-11-22 00:00:00' WHERE state = 'sent'",
     "no letter is being sent since long ago"),
    ("UPDATE messages SET event_id = (SELECT min(id) FROM events)", "every letter's event is its subject's"),
])  # fmt: skip
def test_a_letter_that_cannot_be_is_found(sent, database, statement, what):
    spoil(statement)
    assert what in found() - LEFT_OUT[database]


def test_lost_bytes_of_a_letter_are_found_and_kept_ones_belong_to_it(sent, database):
    one = letters()[0]
    for sha256 in (one.sheet_sha256, one.mail_sha256):
        content = store.read(sha256)
        store.path_of(sha256).unlink()
        assert found() - LEFT_OUT[database] == {"every letter's bytes are what they were"}
        store.put(content)
    assert found() == LEFT_OUT[database]


def test_a_forgotten_draft_takes_no_bytes_along_that_a_letter_has(sent):
    with unit_of_work():
        db.session.add(files.draft("同一份.pdf", SHEET, make.who("specialist")))
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert forget_drafts(clock.now()) >= 1
    assert store.read(letters()[0].sheet_sha256) == SHEET


def test_a_backup_holds_the_letters_bytes(sent, tmp_path, elsewhere):
    backup.make(tmp_path / "one.backup")
    sheet, mail = letters()[0].sheet_sha256, letters()[0].mail_sha256
    with elsewhere.app_context():
        restore.restore(tmp_path / "one.backup")
        assert store.read(sheet) == SHEET and store.read(mail)
        assert [str(one) for one in checks.run() if one.mark in (checks.BAD, checks.FAILED)] == []


def test_a_restored_place_sends_nothing_that_may_have_been_sent_since(sent, tmp_path, elsewhere):
    """What waited then, and what the program would have written in the meantime."""
    backup.make(tmp_path / "one.backup")
    with clock.frozen(clock.parse("2026-11-25T10:00")), elsewhere.app_context():
        restore.restore(tmp_path / "one.backup")
        assert [one.state for one in letters()] == ["sent", "unknown", "unknown"]
        assert outbox.send_due(clock.now()) == 0
        asked = [duty.slot for duty in db.session.query(Duty).filter_by(rule="message.decide") if duty.open]
        assert sorted(asked) == [str(one.id) for one in letters()[1:]]
        assert carry_out_due(clock.now()) == 0, "what is due from now on is written as always"
