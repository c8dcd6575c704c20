"""Letters given to a real mail server that behaves well, badly, or not at all."""

import socket
import threading
import time
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from crm import clock, create_app
from crm.contracts import notices
from crm.customers.models import Customer
from crm.db import db, unit_of_work
from crm.duties.acts import carry_out_due
from crm.files import store
from crm.letters import delivery, letter, workflow
from crm.letters.models import Letter
from crm.letters.outbox import send_due
from tests import make
from tests.letters.post import letters, owed
from tests.letters.sink import DROP, Desk, certificate, free_port, serving
from tests.models import settings

SHEET = b"%PDF-1.7\r\n" + bytes(range(256)) * 50 + b"\n.\n..\r\n.\r\nQUIT\r\n" + b"x" * 3000 + b"\n%%EOF\n"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def connect(app, url: str, fax: str = "") -> None:
    app.config.update(MAIL=url, MAIL_FROM="service@jinyang.example", FAX=fax)
    delivery.init_app(app)


@pytest.fixture
def server(app, desk, monkeypatch):
    """The program sends by `desk`; letters are made without the press."""
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    with serving(desk) as port:
        connect(app, f"smtp+plain://127.0.0.1:{port}")
        yield desk


@pytest.fixture
def notice(app):
    """A notice that waits to be sent."""
    with unit_of_work():
        one = make.in_force()
    carry_out_due(clock.now())
    return one


def send() -> int:
    return send_due(clock.now())


# ── Well ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_is_whole_in_chinese_and_to_one_address_alone(server, notice):
    assert send() == 1
    ((to, content, _told),), (mail,), (row,) = server.taken, server.mails, letters()
    assert to == ["kuaiji@example.com"] and content == store.read(row.mail_sha256).replace(b"\r\n..", b"\r\n..")
    assert sorted(mail.keys()) == ["Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"]
    assert mail["To"].addresses[0].addr_spec == "kuaiji@example.com" and len(mail["To"].addresses) == 1
    assert mail["From"].addresses[0].addr_spec == "service@jinyang.example"
    assert (mail["Subject"], mail["Message-ID"]) == ("金洋售后服务到期通知函", row.message_id)
    assert mail["Date"].datetime == clock.now()
    text, sheet = mail.iter_parts()
    assert text.get_content_charset() == "utf-8" and notice.number in text.get_content() and str(notice.ends_on) in text.get_content()
    assert "{" not in text.get_content()
    assert sheet.get_filename() == "金洋售后服务到期通知函.pdf" and sheet.get_content_type() == "application/pdf"
    assert sheet.get_content() == SHEET == store.read(row.sheet_sha256)
    assert all(len(line) <= 998 and b"\n" not in line and b"\r" not in line for line in content.split(b"\r\n"))


def test_a_fax_gateway_gets_the_letter_under_the_customers_number(app, server, notice):
    app.config["FAX"] = "{number}@fax.example.com"
    with unit_of_work():
        db.session.get_one(Customer, notice.customer_id).fax = "０５７１-8888 6666、010-1234567"  # noqa: RUF001
    assert send() == 1 and server.taken[0][0] == ["057188886666@fax.example.com"] and letters()[0].way == "fax"


@pytest.mark.parametrize(("number", "dialled"), [
    ("0571-88886666", "057188886666"), ("+86 571 8888 6666", "+8657188886666"), ("(0571)88886666转801", "057188886666"),
    ("88886666/88887777", "88886666"), ("无", ""), ("", ""), ("123", ""), ("1" * 30, ""), ("88886666; a@b.example", "88886666"),
])  # fmt: skip
def test_of_a_fax_number_as_it_was_typed_the_first_is_dialled(app, number, dialled):
    app.config["FAX"] = "{number}@fax.example.com"
    assert delivery.fax_address(number) == (f"{dialled}@fax.example.com" if dialled else "")


def test_over_tls_with_a_certificate_that_is_known_and_a_name_and_a_password(app, desk, notice, tmp_path, monkeypatch):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    pem, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with serving(desk, tls_context=context, authenticator=desk.auth, auth_required=True) as port:
        connect(app, f"smtp://crm:right@localhost:{port}")
        assert send() == 1 and len(desk.taken) == 1


# ── Badly ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("step", "answer", "state", "duty"), [
    ("mail", "421 closing", "queued", ""), ("rcpt", "421 closing", "queued", ""), ("rcpt", "450 busy", "queued", ""),
    ("rcpt", "550 no such person", "rejected", "message.mend"), ("data", "451 try later", "queued", ""),
    ("data", "552 too large", "rejected", "message.mend"), ("mail", "552 too large", "rejected", "message.mend"),
    ("mail", "550 not you", "queued", ""), ("data", "550 spam", "rejected", "message.mend"),
    ("mail", DROP, "queued", ""), ("rcpt", DROP, "queued", ""), ("data", DROP, "unknown", "message.decide"),
])  # fmt: skip
def test_whatever_the_server_says_has_its_consequence(server, notice, step, answer, state, duty):
    server.says[step] = [answer]
    assert send() == 0
    (row,) = letters()
    assert row.state == state and row.attempts == 1
    assert [one for name in ("message.mend", "message.decide") for one in owed(name)] == (owed(duty) if duty else [])
    if answer != DROP:
        assert row.answer == answer
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert send() == (state == "queued")
    assert len(server.taken) == (state != "rejected"), "once at most"


def test_a_letter_taken_before_the_connection_was_lost_is_never_given_again(server, notice):
    server.says["data"] = [DROP]
    for days in range(3):
        with clock.frozen(clock.now() + timedelta(days=days)):
            send()
    assert len(server.taken) == 1 and letters()[0].state == "unknown"


def test_a_wrong_password_is_no_fault_of_the_letters(app, desk, notice, monkeypatch):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    with serving(desk, authenticator=desk.auth, auth_required=True, auth_require_tls=False) as port:
        connect(app, f"smtp+plain://crm:wrong@127.0.0.1:{port}")
        assert send() == 0
    assert letters()[0].state == "queued" and letters()[0].answer.startswith("535") and not desk.taken


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_whose_certificate_nobody_knows_gets_no_letter(app, desk, notice, tmp_path, monkeypatch, scheme):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    _pem, context = certificate(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=(listener, context, scheme == "smtps"), daemon=True).start()
        connect(app, f"{scheme}://localhost:{listener.getsockname()[1]}")
        assert send() == 0
    assert letters()[0].state == "queued" and "certificate verify failed" in letters()[0].answer


def _greet(listener, context, at_once: bool) -> None:
    """As much of a server as comes before its certificate is looked at."""
    link, _ = listener.accept()
    try:
        if not at_once:
            link.sendall(b"220 here\r\n")
            link.recv(1000)
            link.sendall(b"250-here\r\n250 STARTTLS\r\n")
            link.recv(1000)
            link.sendall(b"220 go on\r\n")
        context.wrap_socket(link, server_side=True)
    except OSError:
        pass
    finally:
        link.close()


def test_a_server_that_offers_no_tls_gets_no_letter_in_the_clear(app, desk, notice, monkeypatch):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    with serving(desk) as port:
        connect(app, f"smtp://crm:right@127.0.0.1:{port}")
        assert send() == 0
    assert letters()[0].state == "queued" and "STARTTLS" in letters()[0].answer and not desk.taken


def test_nobody_at_the_port_is_said_and_tried_again(app, notice, monkeypatch):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    connect(app, f"smtp+plain://127.0.0.1:{free_port()}")
    assert send() == 0
    assert letters()[0].state == "queued" and "ConnectionRefusedError" in letters()[0].answer


@pytest.mark.parametrize(("step", "state"), [("mail", "queued"), ("rcpt", "queued"), ("data", "unknown")])
def test_a_server_that_stalls_is_not_waited_for(server, notice, monkeypatch, step, state):
    monkeypatch.setattr(delivery, "PATIENCE", 0.3)
    server.says[step] = [3.0]
    began = time.monotonic()
    assert send() == 0 and time.monotonic() - began < 3
    assert letters()[0].state == state


def test_a_server_that_answers_a_letter_at_a_time_is_left_in_the_end(app, notice, monkeypatch):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    monkeypatch.setattr(delivery, "LONGEST", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_trickle, args=(listener,), daemon=True).start()
        connect(app, f"smtp+plain://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        assert send() == 0 and time.monotonic() - began < 5
    assert letters()[0].state == "queued"


def _trickle(listener) -> None:
    link, _ = listener.accept()
    try:
        while True:
            link.sendall(b"2")
            time.sleep(0.05)
    except OSError:
        link.close()


def test_what_a_server_says_is_kept_as_one_harmless_line(server, notice):
    server.says["rcpt"] = ["550-<script>alert(1)</script>\r\n550-\x1b[31m" + "x" * 400 + "\r\n550 \x07end"]
    send()
    (row,) = letters()
    assert row.state == "rejected" and row.answer.isprintable() and len(row.answer) <= 500


# ── Nothing that was typed becomes a header or a second recipient ──────────────────────────────────────────────────

EVIL = ["甲\r\nBcc: evil@example.com", "甲\nBcc: evil@example.com", "甲\rX-Evil: 1", "甲\x85Bcc: e@example.com", "甲\u2028Bcc: e@example.com",
        "甲\u2029Bcc: e@example.com", "=?utf-8?b?QQ0KQmNjOiBlQGV4YW1wbGUuY29t?=", "甲, 乙; <e@example.com>", 'a" <e@example.com>, "b',
        "e@example.com\r\n\r\nnew body", "a\x0bBcc: e@example.com", "a\x1cBcc: e@example.com", "单位" * 200, "a" * 990,
        "\t\r\n ", "%0d%0aBcc: e@example.com", "{ends_on}{config}", "\ufeff甲\u202e乙", "a\x00b"]  # fmt: skip
HEADERS = {"Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"}


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_a_name_becomes_no_header_and_no_second_recipient(server, database, evil):
    if "\x00" in evil and database == "postgresql":
        pytest.skip("PostgreSQL keeps no such text")
    with unit_of_work():
        text = db.session.query(Letter).filter_by(category="notice", brand="", language="zh").one()
        db.session.refresh(text, ["versions"])
        workflow.change(text, by=make.who("director"), title=text.title, subject="{customer} {contact}到期", body=text.text.body)
        one = make.in_force()
        unit = db.session.get_one(Customer, one.customer_id)
        unit.full_name = evil
        make.contact(unit, evil)
    carry_out_due(clock.now())
    assert send() == 1
    ((to, content, _told),), (mail,) = server.taken, server.mails
    assert to == ["kuaiji@example.com"] and set(mail.keys()) == HEADERS and len(mail.keys()) == len(HEADERS)
    assert not {"\r", "\n"} & set(mail["Subject"]) and "evil" not in mail["To"]
    assert len(list(mail.iter_parts())) == 2 and mail.get_body().get_content()
    assert next(mail.iter_attachments()).get_content() == SHEET
    head = content.partition(b"\r\n\r\n")[0]
    assert not [line for line in head.split(b"\r\n") if line.lower().startswith((b"bcc", b"x-evil", b"cc"))]


ADDRESSES = ["a@example.com,b@example.com", "a@example.com;b@example.com", "a@example.com b@example.com", "a@example.com\r\nBcc: b@example.com",
             "a@example.com\n", "\na@example.com", "a@example.com\x00", "<a@example.com>", "甲 <a@example.com>", '"a b"@example.com',
             "a@b@example.com", "a@example", "@example.com", "a@", "a@[127.0.0.1]", "财务@example.com", "a@例子.cn", "a" * 250 + "@example.com",
             "a@example.com>", "a@example.com\u2028", "a@exa mple.com", "a@-.com, b@c.de"]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES, ids=range(len(ADDRESSES)))
def test_what_is_not_one_plain_address_is_nobodys(app, address):
    assert not delivery.is_address(address)


def test_a_letter_to_a_crooked_address_is_not_written_and_the_queue_goes_on(server):
    with unit_of_work():
        crooked, right = make.in_force(), make.in_force()
        db.session.get_one(Customer, crooked.customer_id).email = ADDRESSES[0]
    carry_out_due(clock.now())
    assert send() == 1 and [to for to, *_rest in server.taken] == [["kuaiji@example.com"]]
    assert len(owed("contract.find_address")) == 1 and not notices.reachable(crooked) and notices.reachable(right)


# ── Settings, and the folder ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("wrong", [
    {"MAIL": "mail.example.com"}, {"MAIL": "http://mail.example.com"}, {"MAIL": "smtp+plain://mail.example.com"},
    {"MAIL": "smtp://mail.example.com", "MAIL_FROM": ""}, {"MAIL": "smtp://mail.example.com", "MAIL_FROM": "a@b.cn\r\nBcc: c@d.cn"},
    {"FAX": "{number}"}, {"FAX": "{number}@fax.example.com, a@b.cn"},
    {"MAIL": "smtp://desk:geheim/1@mail.example.com", "MAIL_FROM": "a@b.cn"}, {"MAIL": "smtp://mail.example.com:99999"},
])  # fmt: skip
def test_settings_that_cannot_be_are_refused_at_the_start(database_url, tmp_path, wrong):
    with pytest.raises(ValueError, match="CRM_") as refused:
        create_app(settings(database_url, tmp_path) | wrong)
    assert "geheim" not in str(refused.value), "no part of a password is said"


def test_without_a_server_letters_lie_in_a_folder_and_nothing_leaves_the_house(app, notice, tmp_path, monkeypatch):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    assert send() == 1
    (file,) = (tmp_path / "outbox").iterdir()
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert file.name == f"{mail['Message-ID'].strip('<>').partition('@')[0]}.eml" and letters()[0].answer == file.name
    assert mail["From"] == "service@localhost" and next(mail.iter_attachments()).get_content() == SHEET


def test_a_folder_that_cannot_be_written_keeps_the_letter_waiting(app, notice, tmp_path, monkeypatch):
    monkeypatch.setattr(letter, "sheet_of", lambda *_: SHEET)
    (tmp_path / "outbox").write_text("in the way")
    assert send() == 0 and letters()[0].state == "queued"
    (tmp_path / "outbox").unlink()
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert send() == 1
