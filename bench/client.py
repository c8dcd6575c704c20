"""A client that costs little beside what it measures: one socket kept open, requests as bytes."""

import re
import secrets
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from urllib.parse import urlencode

Asked = tuple[str, dict[str, str] | None]  # a path, and for a POST its fields


class Client:
    """One browser: keeps its cookie and, if it is to, its connection."""

    def __init__(self, port: int, cookie: str = "", *, stays: bool = True) -> None:
        self.port, self.cookie, self.stays, self.socket = port, cookie, stays, None

    def _connected(self) -> socket.socket:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.socket

    def ask(self, path: str, fields: dict[str, str] | None = None) -> tuple[int, bytes, bytes]:
        """Status, head and body; a connection the server had closed meanwhile is opened anew, before anything is sent."""
        body = urlencode(fields).encode() if fields is not None else b""
        head = f"{'GET' if fields is None else 'POST'} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        head += f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        head += "" if self.stays else "Connection: close\r\n"
        if fields is not None:
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        if self.socket is not None and self._gone():
            self.close()
        self._connected().sendall(head.encode() + b"\r\n" + body)
        return self._answer()

    def _gone(self) -> bool:
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(60)

    def _answer(self) -> tuple[int, bytes, bytes]:
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the server closed the connection")
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        parts, have = [body], len(body)
        while have < length:
            more = self.socket.recv(262144)
            if not more:
                raise ConnectionError("the server closed the connection before the end")
            parts.append(more)
            have += len(more)
        if b"connection: close" in head.lower():
            self.close()
        return int(head[9:12]), head, b"".join(parts)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def log_in(self, login: str, password: str) -> None:
        """Enter; the cookie stays with this client."""
        _status, head, body = self.ask("/login")
        self._keep(head)
        token = re.search(rb'csrf_token" value="([^"]+)', body)[1].decode()
        status, head, _body = self.ask("/login", {"csrf_token": token, "login": login, "password": password})
        assert status == 303, status
        self._keep(head)

    def _keep(self, head: bytes) -> None:
        if found := re.search(rb"(?i)set-cookie: (crm=[^;]+)", head):
            self.cookie = found[1].decode()

    def token(self) -> str:
        _status, head, body = self.ask("/tickets/new")
        self._keep(head)
        return re.search(rb'csrf_token" value="([^"]+)', body)[1].decode()


def timed(client: Client, asked: Asked) -> float:
    """Seconds until the whole answer is there; it must be a good one."""
    began = time.perf_counter()
    status, _head, body = client.ask(*asked)
    took = time.perf_counter() - began
    assert status in (200, 303), (status, asked, body[:300])
    return took


def load(make: Callable[[], Client], work: Iterator[Asked], people: int, seconds: float) -> tuple[float, float]:
    """`people` at once for a while: answers a second, and the median time of one. Make them clients that do not stay: people
    who click seconds apart come on a connection of their own each time, and the server by which the bare page beside the peers
    was measured kept none; while those who stay without a pause may all have come to the same worker, and the other idles.
    """
    took: list[float] = []
    lock, end, failed = threading.Lock(), time.perf_counter() + seconds, []

    def person() -> None:
        client = make()
        try:
            while time.perf_counter() < end:
                with lock:
                    asked = next(work)
                took.append(timed(client, asked))
        except Exception as wrong:
            failed.append(wrong)
        finally:
            client.close()

    began = time.perf_counter()
    crowd = [threading.Thread(target=person) for _ in range(people)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    if failed:
        raise failed[0]
    return len(took) / (time.perf_counter() - began), statistics.median(took)


def over(paths: list[str]) -> Iterator[Asked]:
    return ((path, None) for path in cycle(paths))


def creating(token: str, customer: str, contact: int) -> Iterator[Asked]:
    """A new record each time, as the form sends it."""
    while True:
        yield "/tickets/new", {
            "csrf_token": token, "request_id": secrets.token_hex(16), "customer": customer, "contact": str(contact),
            "department": "财务部", "category": "inquiry", "priority": "normal", "channel": "phone",
            "asked_at": "2026-11-20T09:00", "title": "凭证打开以后无法保存",
            "description": "换了一台电脑以后，保存凭证时提示没有权限。",
            "f_question": "怎样给新电脑授权", "f_answer": "",
        }  # fmt: skip
