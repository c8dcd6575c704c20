"""A real mail server on this machine that does at each step what it is told, and keeps what it took."""

import asyncio
import email
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

DROP = "drop"  # the connection ends without an answer


class Desk:
    """`says` maps a step (mail, rcpt, data, auth) to its answers, one a connection: a line, DROP, or seconds to stall.
    `choose` is asked instead where nothing is said. A line that begins with 2 and DROP after the data keep the letter."""

    def __init__(self) -> None:
        self.says: dict[str, list] = {}
        self.choose: Callable[[str], str | float | None] = lambda _step: None
        self.taken: list[tuple[list[str], bytes, bool]] = []  # recipients, bytes, and whether the sender was told so
        self.refused: list[str] = []

    async def _answer(self, step: str, server) -> str | None:
        answer = self.says[step].pop(0) if self.says.get(step) else self.choose(step)
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return None
        if answer == DROP:
            server.transport.abort()
        elif answer and not answer.startswith("2"):
            self.refused.append(f"{step} {answer}")
        return answer

    async def handle_MAIL(self, server, session, envelope, address, options):
        said = await self._answer("mail", server)
        envelope.mail_from = address
        return said or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = await self._answer("rcpt", server)
        if not said or said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        said = await self._answer("data", server)
        if said is None or said == DROP or said.startswith("2"):
            self.taken.append((list(envelope.rcpt_tos), envelope.original_content, said != DROP))
        return said or "250 taken"

    def auth(self, server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"crm", b"right"), handled=False)

    @property
    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(content, policy=policy.default) for _to, content, _told in self.taken]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(desk: Desk, **kwargs) -> Iterator[int]:
    """The port at which it serves."""
    controller = Controller(desk, hostname="127.0.0.1", port=free_port(), ready_timeout=20, **kwargs)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, ssl.SSLContext]:
    """One that nobody trusts unless told to, and what a server shows it with."""
    pem, key = folder / "server.pem", folder / "server.key"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500", "-subj", f"/CN={name}",
             "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(pem)]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return pem, context
