"""The program on a filled database that can be put back as it was within a moment, and everybody already logged in."""

import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote_from_bytes

from crm import create_app
from crm.db import db, unit_of_work
from crm.permissions import Role
from tests.browsing import Browser
from tests.models import settings
from tests.nets.crawl import Crawl
from tests.nets.world import populate

PEOPLE = [*map(str, Role), "stranger", ""]  # "": nobody, at the door


class House:
    """`server` is PostgreSQL's, with the name of a database to fill; without it an SQLite file in `folder`."""

    def __init__(self, folder: Path, url: str, server=None) -> None:
        self.folder, self.server = folder, server
        self.app = create_app(settings(url, folder) | {"PROPAGATE": False})
        self.name = self.app.config["SQLALCHEMY_DATABASE_URI"].rpartition("/")[2].partition("?")[0]
        self.model = f"m_{uuid.uuid4().hex[:10]}"
        with self.app.app_context(), unit_of_work():
            populate()
        self.cookies = {who: self._cookie(who) for who in PEOPLE}
        self.tokens: dict[str, str] = {}
        self._keep()

    def _cookie(self, who: str) -> str:
        page = Browser(self.app, who or None)
        page.get("/login")
        cookie = page.client.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
        return f"{cookie.key}={cookie.value}" if cookie else ""

    def _release(self) -> None:
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def _keep(self) -> None:
        with self.app.app_context():
            if not self.server:
                with db.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._release()
        if self.server:
            self.server.create(self.model, self.name)
        else:
            shutil.copy(self.folder / "crm.db", self.folder / "kept.db")

    def put_back(self) -> None:
        """All rows as they were when the house was built; every log-in is valid again."""
        self._release()
        if self.server:
            self.server.drop(self.name)
            self.server.create(self.name, self.model)
            return
        for name in ("crm.db-wal", "crm.db-shm"):
            with suppress(FileNotFoundError):
                (self.folder / name).unlink()
        shutil.copy(self.folder / "kept.db", self.folder / "crm.db")

    def close(self) -> None:
        self._release()
        if self.server:
            self.server.drop(self.model)

    def ask(self, who: str, path: str, method: str = "GET", language: str = "en", **kwargs):
        """One request with the cookie the person had in the beginning, whatever was answered since."""
        headers = [("Accept-Language", language)] + ([("Cookie", self.cookies[who])] if self.cookies[who] else [])
        return self.app.test_client(use_cookies=False).open(path, method=method, headers=headers, **kwargs)

    def crawl(self, who: str) -> Crawl:
        start = ("/", "/account") if who else ("/login", "/")
        return Crawl(self.app, lambda path: self.ask(who, path), start)


def encoded(pairs) -> bytes:
    """A form's body, of words or of bytes as they are."""
    return b"&".join(b"=".join(quote_from_bytes(_bytes(part)).encode() for part in pair) for pair in pairs)


def _bytes(value) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def parts(pairs, files) -> tuple[bytes, str]:
    """The same as multipart, with `files` of (field, name, content)."""
    mark, body = uuid.uuid4().hex, b""
    for name, value in pairs:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        body += head.encode() + _bytes(value) + b"\r\n"
    for name, shown, content in files:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{shown}"\r\n\r\n'
        body += head.encode("utf-8", "surrogatepass") + content + b"\r\n"
    return body + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"
