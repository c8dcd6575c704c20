"""A person at a browser, alone or many at once."""

import contextvars
import re
import threading
import uuid

from flask import has_app_context
from sqlalchemy import select

from crm import clock
from crm.db import db, unit_of_work
from crm.staff import entrance
from crm.staff.models import User
from tests import make
from tests.reading import FormReader


def apart(act, *args, **kwargs):
    """Outside of the test's own app context, whose `g` a request would share: each request is alone, as in a server."""
    answer = contextvars.Context().run(act, *args, **kwargs)
    if has_app_context():
        db.session.rollback()  # the test looks at what is there now
    return answer


class Browser:
    """A client that fills in a form as a person does: with the page's token, its version and a fresh request id."""

    def __init__(self, app, login: str | None = None, language: str = "en") -> None:
        self.client = app.test_client()
        self.headers = {"Accept-Language": language}
        if login:
            apart(self.enter, login)

    def enter(self, login: str) -> None:
        """In as whoever gave the right password: the door has tests of its own, and a log-in takes three requests' time."""
        app = self.client.application
        with app.test_request_context("/login", headers=self.headers), unit_of_work():
            user = db.session.scalars(select(User).where(User.login == login)).one()
            _session, token = entrance._begin(entrance.account_of(user), "", entrance.Visitor())
        with self.client.session_transaction() as cookie:
            cookie.permanent = True
            cookie |= {"token": token, "seen": int(clock.now().timestamp())}

    def log_in(self, login: str, password: str = make.PASSWORD):
        return self.send("/login", login=login, password=password)

    def get(self, path: str, **kwargs):
        return apart(self.client.get, path, headers=self.headers, **kwargs)

    def forms(self, page: str) -> list[dict]:
        """The forms of a page as a browser would send them: `action`, and the fields with what stands in them."""
        reader = FormReader(page)
        reader.feed(self.get(page, follow_redirects=True).text)
        return reader.forms

    def token(self, page: str) -> str:
        return next((f["fields"]["csrf_token"] for f in self.forms(page) if "csrf_token" in f["fields"]), "")

    def send(self, path: str, *, page: str | None = None, files: dict | None = None, **fields):
        """POST the form of `page` that leads to `path`, its hidden fields as they stand there, with what was typed.

        Where the page shows no such form (another's record, a state without the button) it is sent all the same."""
        page = page or re.sub(r"(/[A-Z][0-9-]+)/(?!edit$)[a-z]+$", r"\1", path)
        forms = self.forms(page)
        if not any(f["method"] == "post" and path in f["actions"] for f in forms):
            forms += self.forms("/account")  # whoever is shown no such form has a token there
        form = next((f for f in forms if f["method"] == "post" and path in f["actions"]), None)
        known = next((f["fields"]["version"] for f in forms if "version" in f["fields"]), None)
        token = next((f["fields"]["csrf_token"] for f in forms if "csrf_token" in f["fields"]), "")
        data = {"csrf_token": token, "request_id": uuid.uuid4().hex}
        data |= {"version": known} if known else {}
        data |= (form["fields"] if form else {}) | fields | (files or {})
        return self.post(path, data, multipart=bool(files))

    def post(self, path: str, data: dict, *, multipart: bool = False):
        """Exactly this, as an attacker would."""
        kind = "multipart/form-data" if multipart else None
        return apart(self.client.post, path, data=data, headers=self.headers, content_type=kind)


def together(count: int, act) -> list:
    """Run `act(i)` in `count` threads at once; what each gave back."""
    given: list = [None] * count
    gate = threading.Barrier(count)

    def run(i: int) -> None:
        gate.wait()
        given[i] = act(i)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given
