"""Every route × method × identity, on one's own row, another's and a closed one: what `crm/permissions.py` says, no more."""

import uuid
from collections import Counter

import pytest

from crm.db import db, unit_of_work
from crm.permissions import Permission, Role
from crm.staff import workflow as staff
from crm.staff.models import User
from tests import make
from tests.browsing import Browser, apart
from tests.nets import rows, values
from tests.nets.rows import WHOSE, row_for
from tests.nets.state import changed, digest
from tests.shares import ALL, LARGE, this_time

IDENTITIES = ["anonymous", "disabled", *Role]
OPEN = Permission.PUBLIC
# needs what its page gives once (a code of the phone, a second factor), or what those without records never owe or see
UNREACHED = {
    "desk.presence_of",
    "listing.columns",
    "listing.save",
    "own.second_factor",
    "own.remove_factor",
    "staff.remove_factor",
    "duties.extension",
    "duties.claim",  # what falls to a role, and only to whoever holds it: tests/duties/test_pool.py
    "duties.release",
    "contracts.adjust",  # the period it has already is none to adjust it to: tests/contracts sends another
    "drafts.categories", "drafts.deadlines", "drafts.fines",  # sheets of many fields: tests/rulebooks sends them
    "fund.spend",  # there is nothing in the fund yet: tests/fund spends it
    "contracts.new",  # of one's own customers: tests/contracts sends it
    "letters.post_all",  # several letters at once, that lie for the post: tests/letters/test_people.py sends them
    "penalties.withdraw",  # follow-up does not read what it entered: tests/penalties takes back what others did
    "papers.new",  # a developer and an archivist see nothing yet that a paper could belong to: tests/papers sends it
    "visits.new",  # asks for the contact once the customer is there, who by then has several: tests/visits sends it
}
GOOD = {"GET": {200, 302, 303}, "POST": {200, 303, 409, 422}}


class Person:
    """Somebody of one role at a browser; after anything that touched the log-in they come anew."""

    def __init__(self, app, identity: str) -> None:
        self.app, self.identity, self.count = app, identity, 0
        self.renew()

    def renew(self) -> None:
        self.count += 1
        self.page, login = Browser(self.app), f"p-{self.identity}{self.count}"
        roles = [Role(self.identity)] if self.identity in set(Role) else [Role.SPECIALIST]
        with unit_of_work():
            user = staff.add_user(login, "某人", roles, make.hashed(make.PASSWORD), must_change=False)
        if self.identity != "anonymous":
            apart(self.page.enter, login)
        if self.identity == "disabled":
            with unit_of_work():
                user = db.session.get(User, user.id)
                staff.edit_user(user, by=make.who("admin"), roles=user.roles, active=False)
        self.id = user.id
        self.token = self.page.token("/account" if self.inside else "/login")

    @property
    def user(self):
        return db.session.get(User, self.id)

    @property
    def inside(self) -> bool:
        return self.identity in set(Role)


def routes(app):
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield rule, method


def expected(permission, person: Person, method: str, row) -> set[int]:
    """The statuses the table of answers allows."""
    if permission == OPEN:
        return {404} if row and not row.seen_by(person.user) else GOOD[method] | {302}
    if not person.inside:
        return {302}
    if not person.user.may(permission):
        return {403}
    if row and not row.seen_by(person.user):
        return {404}
    return {403} if row and method == "POST" and not row.may(person.user) else GOOD[method]


def send(person: Person, method: str, path: str, row, *, allowed: bool):
    """As a person would who sees the form; who may not do it sends all fields there are."""
    if method == "GET":
        return person.page.get(path)
    form, token = None, person.token
    if allowed:
        above = path.rpartition("/")[0] or "/"
        pages = [above, path, f"{above}/signature", "/account"] if person.inside else ["/login"]
        form = next((form for page in pages for form in person.page.forms(page) if path in form["actions"]), None)
    fields = {"version": str(row.subject.version)} if row and row.subject else {}
    given = values.typed(path, form) if form else values.anything(path) | fields
    files = values.files(path, form) if form else {}
    if path == "/files":
        files = {"file": values.stream(path, "file")}
    sent = given | {"csrf_token": token, "request_id": uuid.uuid4().hex} | files
    return person.page.post(path, sent, multipart=bool(files))


class Walk:
    """One identity over all routes; rows are made anew once something was done to them."""

    def __init__(self, app, identity: str) -> None:
        self.app, self.person, self.cells, self.done = app, Person(app, identity), 0, Counter()
        self.wrong, self.made, self.last = [], {}, None
        self.offered = set()  # of what some row is theirs to do

    def row(self, endpoint: str, whose: str):
        maker = rows.maker_of(endpoint)
        key = (maker, whose, endpoint if maker in (rows.edition, *rows.NAMED) else "")
        if key not in self.made:
            with unit_of_work():
                self.made[key] = row_for(endpoint, whose, self.person.user)
            self.last = None
        row = self.made[key]
        if row.subject is not None:
            db.session.refresh(row.subject)
        return row, key

    def may(self, endpoint: str) -> bool:
        permission = self.app.view_functions[endpoint].permission
        return self.person.inside and (permission == OPEN or self.person.user.may(permission))

    def cell(self, rule, method: str, whose: str) -> None:
        row, key = self.row(rule.endpoint, whose) if rule.arguments else (None, None)
        _, path = rule.build(row.values if row else {}, append_unknown=False)
        permission = self.app.view_functions[rule.endpoint].permission
        wanted = expected(permission, self.person, method, row)
        refused = method == "POST" and wanted <= {302, 403, 404}
        before = (self.last or digest()) if refused else None
        if method == "POST" and not refused:
            self.offered.add(rule.endpoint)
        answer = send(self.person, method, path, row, allowed=not refused)
        self.cells += 1
        name = (str(self.person.identity), method, rule.endpoint, whose)
        if answer.status_code not in wanted:
            self.wrong.append((*name, answer.status_code, sorted(wanted)))
        elif wanted == {302} and not answer.location.startswith("/login"):
            self.wrong.append((*name, answer.location))
        if before:
            self.last = digest()
            if touched := changed(before, self.last):
                self.wrong.append((*name, "changed", touched))
        elif method == "POST":
            self.last = None
            self.taken(rule.endpoint, permission, key, answer)

    def taken(self, endpoint: str, permission, key, answer) -> None:
        """What was done to a row or to the log-in is not met again."""
        if answer.status_code < 400:
            self.done[endpoint] += 1
            self.made.pop(key, None)
            if permission in (OPEN, Permission.SIGNED_IN):
                self.person.renew()
                self.made.clear()


# who may do what is not the database's: on PostgreSQL all cells are walked once more by `make nets`
@pytest.fixture(params=LARGE)
def database(request) -> str:
    return request.param


@pytest.mark.timeout(900)
@pytest.mark.parametrize("identity", IDENTITIES)
def test_each_route_answers_each_identity_as_the_permissions_say(app, identity, capsys):
    walk, walked = Walk(app, identity), [(rule, method) for rule, method in routes(app) if this_time(rule.endpoint)]
    for rule, method in walked:
        known = rule.arguments - {"filename"} and (ALL or walk.may(rule.endpoint))  # else whose it is makes no difference
        for whose in WHOSE if known else WHOSE[:1]:
            if ALL or whose != "closed" or method != "GET":  # a page of what is over: in `make nets`, and looked at by the eyes
                walk.cell(rule, method, whose)
    with capsys.disabled():
        print(f" {walk.cells} cells for {identity}: {walk.done.total()} forms taken", end="")
    assert not walk.wrong, "\n".join(map(str, walk.wrong))
    if walk.person.inside:
        reached = {rule.endpoint for rule, method in walked if method == "POST"
                   and app.view_functions[rule.endpoint].permission in walk.person.user.permissions}  # fmt: skip
        hole = sorted((reached & walk.offered) - walk.done.keys() - UNREACHED)
        assert not hole, f"no form of these was ever taken, so nothing is known of them: {hole}"


def test_an_address_nobody_can_fill_is_named(app):
    with pytest.raises(rows.Unknown, match="of_tomorrow"):
        row_for("of_tomorrow.view", "own", make.who("specialist"))
