"""SIGKILL in mid-work: `crm serve` with two workers, four people who log in and open records, some with a file; all its
processes are killed at a random moment. After each restart every record whose redirect was received is there, and
`crm check` finds nothing half done.

.venv/bin/python -m bench.kills [ROUNDS] [sqlite | postgresql]
"""

import http.client
import http.cookiejar
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

from sqlalchemy import select

from bench.backups import fill
from bench.places import CRM, Place, asked, places
from crm.db import db
from crm.durable import checks
from crm.files.models import File
from crm.tickets.models import Ticket
from tests import make
from tests.reading import FormReader

PEOPLE = ("specialist", "specialist2", "manager", "specialist")
LONGEST = 3  # seconds from ready to the kill
GONE = (OSError, http.client.HTTPException, urllib.error.URLError)


def words(page: str) -> str:
    """What a page of ours says, without its frame."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2] or page).split())[:300]


class Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is the acknowledgement; it is not followed."""

    def redirect_request(self, *_):
        return None


class Person:
    """Somebody with a browser, who notes each record whose redirect came back."""

    def __init__(self, base: str, login: str) -> None:
        self.base, self.login, self.known = base, login, []
        self.files: list[str] = []  # keys of files on them
        self.opener = urllib.request.build_opener(
            Stay, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), urllib.request.ProxyHandler({})
        )

    def ask(self, path: str, data: bytes | None = None, kind: str = "application/x-www-form-urlencoded") -> tuple:
        request = urllib.request.Request(self.base + path, data, {"Content-Type": kind} if data else {})
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode(), ""
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(), answer.headers.get("Location", "")

    def form(self, page: str, action: str) -> dict:
        reader = FormReader(page)
        reader.feed(self.ask(page)[1])
        return next(form["fields"] for form in reader.forms if action in form["actions"] and form["method"] == "post")

    def send(self, path: str, fields: dict) -> str:
        status, text, location = self.ask(path, urllib.parse.urlencode(fields, doseq=True).encode())
        assert status in (302, 303), f"{path}: {status} {words(text)}"
        return location

    def work(self, stop: threading.Event) -> None:
        """Log in, then one record after the other, until the server is gone."""
        try:
            self.send("/login", {**self.form("/login", "/login"), "login": self.login, "password": make.PASSWORD})
            while not stop.is_set():
                page = "/tickets/new?customer=K0001"
                fields = self.form(page, "/tickets/new")
                fields |= {"category": "inquiry", "channel": "phone", "title": "凭证无法保存", "customer": "K0001"}
                key = self.upload(fields["csrf_token"]) if random.random() < 0.5 else ""
                location = self.send("/tickets/new", fields | ({"files": key} if key else {}))
                self.known.append(urllib.parse.urlsplit(location).path.rpartition("/")[2])
                self.files.append(key)
        except GONE:
            pass

    @staticmethod
    def part(mark: str, named: str, content: bytes) -> bytes:
        return f"--{mark}\r\nContent-Disposition: form-data; {named}\r\n\r\n".encode() + content + b"\r\n"

    def upload(self, token: str) -> str:
        """A file of its own as a draft; its key."""
        mark, content = uuid.uuid4().hex, make.PDF + uuid.uuid4().bytes
        fields = {"csrf_token": token, "request_id": uuid.uuid4().hex}
        parts = [self.part(mark, f'name="{name}"', value.encode()) for name, value in fields.items()]
        parts += [self.part(mark, 'name="file"; filename="a.pdf"', content), f"--{mark}--\r\n".encode()]
        status, text, _ = self.ask("/files", b"".join(parts), f"multipart/form-data; boundary={mark}")
        assert status == 200, f"/files: {status} {words(text)}"
        reader = FormReader("/files")
        reader.feed(f"<form>{text}</form>")
        return reader.forms[0]["fields"]["files"]


class Served:
    """`crm serve` in a process group of its own; `ready` is how many seconds it took to answer."""

    def __init__(self, place: Place, port: int) -> None:
        self.base, begun = f"http://127.0.0.1:{port}", time.perf_counter()
        words = [CRM, "serve", "--port", str(port), "--workers", "2"]
        self.process = subprocess.Popen(words, env=place.environment, stderr=subprocess.DEVNULL, start_new_session=True)
        while True:
            assert self.process.poll() is None, "it did not start"
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as link:
                    link.sendall(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                    if b" 200 " in link.recv(100):
                        break
            except OSError:
                time.sleep(0.02)
        self.ready = time.perf_counter() - begun

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def one_round(place: Place, port: int) -> dict:
    """Serve, work, kill; who was told what."""
    served, stop, wrong = Served(place, port), threading.Event(), []
    people = [Person(served.base, login) for login in PEOPLE]

    def work(person: Person) -> None:
        try:
            person.work(stop)
        except Exception as unforeseen:
            wrong.append(f"{person.login}: {unforeseen!r}")

    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    time.sleep(random.uniform(0.005, LONGEST))
    served.kill()
    stop.set()
    for thread in threads:
        thread.join()
    told = {number: key for person in people for number, key in zip(person.known, person.files, strict=True)}
    return {"ready": served.ready, "told": told, "wrong": wrong}


def look(place: Place, told: dict[str, str]) -> list[str]:
    """What is missing of what was acknowledged, and what the check finds."""
    with place.app() as app, app.app_context():
        there = set(db.session.scalars(select(Ticket.number)))
        attached = dict(
            db.session.execute(select(File.key, Ticket.number).join(Ticket, Ticket.id == File.subject_id)).all()
        )
        wrong = [f"{number} is lost" for number in told if number not in there]
        wrong += [
            f"the file of {number} is lost" for number, key in told.items() if key and attached.get(key) != number
        ]
        db.session.rollback()
        return wrong + [str(result) for result in checks.run() if result.mark in (checks.BAD, checks.FAILED)]


def run(rounds: int, kind: str, say=print) -> list[dict]:
    seen, told = [], {}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, places(kind, Path(folder)) as new:
        place = new()
        fill(place)
        for number in range(1, rounds + 1):
            seen.append(one_round(place, port))
            told |= seen[-1]["told"]
            seen[-1]["wrong"] += look(place, told)
            if seen[-1]["wrong"] or number % 10 == 0:
                say(
                    f"{number}: {len(told)} told, ready in {seen[-1]['ready']:.2f} s, {seen[-1]['wrong'] or 'all there'}"
                )
    return seen


def main() -> None:
    rounds, kind = asked(sys.argv[1:])
    seen = run(rounds, kind)
    bad, ready = [one for one in seen if one["wrong"]], sorted(one["ready"] for one in seen)
    told = sum(len(one["told"]) for one in seen)
    print(f"{kind}: {len(seen)} kills, {told} records acknowledged, {len(bad)} rounds with something lost or half done")
    print(f"ready again in {ready[len(ready) // 2]:.2f} s (median), {ready[-1]:.2f} s (longest)")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
