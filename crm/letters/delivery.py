"""Giving a letter to whoever carries it: a mail server, or a folder where nothing leaves the house.

What is carried is bytes, made and kept before anybody is spoken to. Three things can come back: nothing (it was taken),
`NotTaken` (now or ever; `Unreached` if nobody was there to take it), or `NoAnswer`: it was given, and then nobody said
what became of it."""

import re
import smtplib
import socket
import ssl
import threading
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from flask import Flask, current_app
from flask_mail import Connection, Mail

from crm.files.store import sync

PATIENCE = 20.0  # seconds for each answer of the server
TOO_LARGE = 552
LONGEST = 120.0  # seconds for all of them, however slowly they come
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")


class NotTaken(Exception):
    """It was not taken: `final` if it never will be, else it may be tried again."""

    def __init__(self, said: str, *, final: bool) -> None:
        super().__init__(said)
        self.said, self.final = plain(said), final


class Unreached(NotTaken):
    """Nobody was there to take any letter: the others need not be tried now."""

    def __init__(self, said: str) -> None:
        super().__init__(said, final=False)


class NoAnswer(Exception):
    """It was given, and nobody said what became of it."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = plain(said)


def plain(said: str) -> str:
    """What the other side said, as one line that can be kept."""
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())[:500]


def is_address(text: str) -> bool:
    """Whether this is one plain e-mail address, and nothing that could become two or a header."""
    return len(text) <= 254 and bool(_ADDRESS.fullmatch(text))


def fax_address(numbers: str) -> str:
    """The address at the fax gateway, by the pattern of the settings; "" without one, or without a number. Of several
    numbers the first."""
    first = re.split(r"[/,;、|转或]", unicodedata.normalize("NFKC", numbers).strip())[0]
    digits, pattern = re.sub(r"[^0-9+]", "", first), current_app.config["FAX"]
    return pattern.replace("{number}", digits) if pattern and re.fullmatch(r"\+?[0-9]{5,20}", digits) else ""


class _Careful(smtplib.SMTP):
    """Remembers when the letter itself is given: from then on a lost connection says nothing of it. Does not wait for ever,
    though each answer may come a letter at a time."""

    given = False
    ending: threading.Timer | None = None

    def _get_socket(self, *where):
        made = super()._get_socket(*where)  # type: ignore[misc]
        self.ending = threading.Timer(LONGEST, self._cut)
        self.ending.daemon = True
        self.ending.start()
        return made

    def _cut(self) -> None:
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)  # whoever waits for an answer sees the end of it

    def send(self, s):
        self.given = self.given or isinstance(s, bytes)  # a command is text, only the letter is bytes
        super().send(s)

    def close(self) -> None:
        if self.ending:
            self.ending.cancel()
        super().close()


class _Smtps(_Careful, smtplib.SMTP_SSL):
    pass


class _Connection(Connection):
    """Flask-Mail's, with an end to waiting and with the server's certificate looked at."""

    def configure_host(self):
        mail, secure = self.mail, ssl.create_default_context()
        us = current_app.config["MAIL_FROM"].partition("@")[2]  # the name we give; else one is asked for, which may take long
        if mail.use_ssl:
            host: _Careful = _Smtps(mail.server, mail.port, us, timeout=PATIENCE, context=secure)
        else:
            host = _Careful(mail.server, mail.port, us, timeout=PATIENCE)
        try:
            if mail.use_tls:
                host.starttls(context=secure)
            if mail.username and mail.password:
                host.login(mail.username, mail.password)
            host.ehlo_or_helo_if_needed()
        except BaseException:
            host.close()
            raise
        return host


@dataclass
class Server:
    """A mail server, as CRM_MAIL names it."""

    mail: Mail

    def give(self, sender: str, address: str, content: bytes) -> str:
        """Hand it over; what the server said. One connection a letter: one that goes wrong takes no other with it."""
        try:
            host = _Connection(self.mail).configure_host()
        except smtplib.SMTPResponseException as wrong:
            raise Unreached(_said(wrong.smtp_code, wrong.smtp_error)) from wrong
        except (OSError, smtplib.SMTPException) as wrong:
            raise Unreached(f"{type(wrong).__name__}: {wrong}") from wrong
        try:
            host.sendmail(sender, [address], content)
        except smtplib.SMTPSenderRefused as wrong:
            if wrong.smtp_code == TOO_LARGE:
                raise NotTaken(_said(wrong.smtp_code, wrong.smtp_error), final=True) from wrong
            raise Unreached(_said(wrong.smtp_code, wrong.smtp_error)) from wrong  # it refuses us, and so every letter
        except smtplib.SMTPRecipientsRefused as wrong:
            code, said = next(iter(wrong.recipients.values()))
            raise NotTaken(_said(code, said), final=500 <= code < 600) from wrong
        except smtplib.SMTPResponseException as wrong:
            raise NotTaken(_said(wrong.smtp_code, wrong.smtp_error), final=500 <= wrong.smtp_code < 600) from wrong
        except (OSError, smtplib.SMTPException) as wrong:
            if host.given:
                raise NoAnswer(f"{type(wrong).__name__}: {wrong}") from wrong
            raise NotTaken(f"{type(wrong).__name__}: {wrong}", final=False) from wrong
        finally:
            host.close()
        return "250"


def _said(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"


@dataclass
class Folder:
    """Where nothing is sent: each letter lies as a file in the instance's `outbox/`, under its Message-ID."""

    path: Path

    def give(self, sender: str, address: str, content: bytes) -> str:
        name = re.search(rb"(?im)^Message-ID:\s*<([0-9a-z]+)@", content)
        assert name, "every letter has one"
        part = self.path / f"{name[1].decode()}.part"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
        except OSError as wrong:  # such as a full disk
            raise Unreached(f"{type(wrong).__name__}: {wrong}") from wrong
        part.replace(part.with_suffix(".eml"))
        sync(self.path)
        return str(part.with_suffix(".eml").name)


def carrier() -> Server | Folder:
    """Whoever carries the letters here, by the settings."""
    sends = bool(current_app.config["MAIL"])
    return Server(current_app.extensions["mail"]) if sends else Folder(Path(current_app.config["INSTANCE"]) / "outbox")


def _port(url: SplitResult) -> int | None:
    """0 where none is named, None for one that cannot be: such as a part of a password with a slash in it, which the words
    of the error would say aloud."""
    try:
        return url.port or 0
    except ValueError:
        return None


def init_app(app: Flask) -> None:
    """`CRM_MAIL`: `smtp://name:password@host:587` (with STARTTLS), `smtps://…:465`, or `smtp+plain://…` for a server on this
    very machine; without it nothing leaves the house. ValueError for any other."""
    url = urlsplit(app.config["MAIL"] or "")
    port = _port(url)
    if app.config["FAX"] and not is_address(app.config["FAX"].replace("{number}", "1")):
        raise ValueError("CRM_FAX is no address at a fax gateway: write it as {number}@fax.example.com")
    if not app.config["MAIL"]:
        Mail(app)
        return
    if url.scheme not in ("smtp", "smtps", "smtp+plain") or not url.hostname or port is None:
        raise ValueError("CRM_MAIL is no mail server: write it as smtp://name:password@mail.example.com:587")
    if url.scheme == "smtp+plain" and url.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("CRM_MAIL: smtp+plain:// is for a server on this machine alone; use smtp:// or smtps://")
    if not is_address(app.config["MAIL_FROM"]):
        raise ValueError("CRM_MAIL_FROM must be the address letters come from, such as service@example.com")
    app.config.update(
        MAIL_SERVER=url.hostname, MAIL_PORT=port or (465 if url.scheme == "smtps" else 587),
        MAIL_USE_TLS=url.scheme == "smtp", MAIL_USE_SSL=url.scheme == "smtps",
        MAIL_USERNAME=unquote(url.username or "") or None, MAIL_PASSWORD=unquote(url.password or "") or None,
    )  # fmt: skip
    Mail(app)
