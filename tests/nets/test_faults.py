"""A database that fails at the n-th write, for every n, and at the commit: all or nothing, a page that says so, and the
next try works. The forms are those found on the pages, filled in as a person would."""

import uuid
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from crm.db import db
from tests.nets import values
from tests.nets.house import House, encoded, parts
from tests.nets.state import BESIDE, changed, digest
from tests.shares import DAY, DAYS, LARGE, shared_out, todays

BY = ("specialist", "manager", "director", "admin", "stranger", "")
# to find what somebody meets takes longest, so a run that is shared out looks at two of them, other ones each round of days
TODAYS = ((0, 3), (1, 4), (2, 5))[DAY // DAYS % 3]
WRITES = ("INSERT", "UPDATE", "DELETE")


class Fault:
    """Counts the writes of a request; the one it is set to fails, and with it nothing that is beside the matter."""

    def __init__(self, engine) -> None:
        self.engine, self.at, self.seen, self.fired = engine, 0, 0, ""

    def _write(self, _connection, _cursor, statement, *_rest) -> None:
        if statement.lstrip().upper().startswith(WRITES):
            self.seen += 1
            if self.seen == self.at:
                self.fired = statement
                raise OperationalError(statement, {}, Exception("disk I/O error"))

    def _commit(self, _connection) -> None:
        if self.at < 0 and self.seen and not self.fired:
            self.fired = "COMMIT"
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    @contextmanager
    def set(self, at: int):
        """At the `at`-th write; -1: at the first commit after a write; 0: never, only counted."""
        self.at, self.seen, self.fired = at, 0, ""
        event.listen(self.engine, "before_cursor_execute", self._write)
        event.listen(self.engine, "commit", self._commit)
        try:
            yield self
        finally:
            event.remove(self.engine, "before_cursor_execute", self._write)
            event.remove(self.engine, "commit", self._commit)

    @property
    def beside(self) -> bool:
        return any(f" {table} " in self.fired.replace('"', "").replace("(", " ") for table in (*BESIDE, "files"))


# the same forms and writes on both: PostgreSQL's turn is in `make nets`
@pytest.fixture(params=LARGE)
def database(request) -> str:
    return request.param


@pytest.fixture
def house(database, database_url, request, tmp_path, frozen):
    server = request.getfixturevalue("postgres") if database == "postgresql" else None
    built = House(tmp_path, database_url, server)
    yield built
    built.close()


def found(house) -> dict[str, list]:
    """The forms of each endpoint, with who is shown them."""
    forms: dict[str, list] = {}
    for who in (BY[at] for at in TODAYS) if shared_out() else BY:
        for form in house.crawl(who).forms.values():
            if form.method == "POST" and form.endpoint:
                forms.setdefault(form.endpoint, []).append((who, form))
    return forms


def sender(house, who: str, form):
    """The same request as often as it is asked for."""
    typed = values.typed(form.path, form.form) | {"request_id": uuid.uuid4().hex}
    pairs = [(key, one) for key, value in typed.items() for one in (value if isinstance(value, list) else [value])]
    files = [(name, shown, stream.read()) for name, (stream, shown) in values.files(form.path, form.form).items()]
    body, kind = parts(pairs, files) if files else (encoded(pairs), "application/x-www-form-urlencoded")
    return lambda: house.ask(who, form.path, "POST", data=body, content_type=kind)


def counted(house, send) -> int:
    """How many writes it takes when nothing fails; everything is put back."""
    with house.app.app_context():
        fault = Fault(db.engine)
    with fault.set(0):
        answer = send()
    house.put_back()
    return fault.seen if answer.status_code < 400 else 0


def tried(house, name: str, send, writes: int) -> list:
    """Every fault in turn, then once without."""
    wrong = []
    with house.app.app_context():
        before, fault = digest(), Fault(db.engine)
    for at in [*range(1, writes + 1), -1]:
        with fault.set(at):
            status = send().status_code
        with house.app.app_context():
            touched = changed(before, digest())
        if not fault.fired or (status < 400 and fault.beside):
            house.put_back()
        elif status < 500:
            wrong.append((name, at, fault.fired[:60], "answered", status))
            house.put_back()
        elif touched:
            wrong.append((name, at, fault.fired[:60], "half done", touched))
            house.put_back()
    answer = send()
    return wrong if answer.status_code < 400 else [*wrong, (name, "the next try", answer.status_code)]


@pytest.mark.timeout(600)
def test_a_form_is_taken_whole_or_not_at_all_whichever_write_fails(house, capsys):
    forms, wrong, count, taken = found(house), [], 0, set()
    for endpoint, shown in forms.items():
        if not todays(endpoint):
            continue
        for who, form in shown:
            send = sender(house, who, form)
            if writes := counted(house, send):
                taken.add(endpoint)
                count += writes + 1
                wrong += tried(house, endpoint, send, writes)
                house.put_back()
                break
    with capsys.disabled():
        print(f" {count} faults in {len(taken)} of {len(forms)} kinds of forms; refused as it stands: "
              + ", ".join(sorted(forms.keys() - taken)))  # fmt: skip
    assert not wrong, "\n".join(map(str, wrong))
    assert len(taken) > (3 if shared_out() else 25)
