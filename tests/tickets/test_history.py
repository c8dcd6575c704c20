"""A service desk's log comes in as history: every row told or named, nobody judged, and twice is once."""

import csv
import gzip
import io
import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.customers.models import Contact, Customer
from crm.db import db, unit_of_work
from crm.desk.search import find, rebuild
from crm.duties.models import Duty, Event
from crm.errors import Invalid
from crm.search import SearchKey, SearchRow
from crm.staff import entrance
from crm.staff.entrance import Visitor
from crm.staff.models import User
from crm.tickets import history
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from crm.tickets.story import story_of
from tests import make
from tests.browsing import together
from tests.shares import LARGE, leave_out

pytestmark = pytest.mark.usefixtures("sound")
ODD = Path(__file__).parent / "data" / "odd_incidents.csv"
REAL = Path(__file__).parents[2].parent / "shared" / "data" / "incidents" / "incidents_2016-02-29_to_03-31.csv.gz"
HEAD = ODD.read_bytes().split(b"\n", 1)[0].decode().split(",")
PLAIN = {
    "number": "INC1", "incident_state": "New", "active": "true", "reassignment_count": "0", "reopen_count": "0",
    "sys_mod_count": "0", "caller_id": "Caller 1", "opened_at": "1/3/2016 08:00", "sys_updated_by": "Updated by 7",
    "sys_updated_at": "1/3/2016 08:05", "contact_type": "Phone", "location": "Location 9", "category": "Category 3",
    "subcategory": "Sub 4", "impact": "2 - Medium", "priority": "3 - Moderate", "assignment_group": "Group 1",
    "assigned_to": "?", "resolved_by": "Resolved by 4", "closed_at": "9/3/2016 12:00",
}  # fmt: skip


@pytest.fixture
def bring(tmp_path):
    """`bring({…}, {…})`: import these rows; each says what differs from the one before it."""

    def act(*rows: dict[str, str], say=str, dry_run: bool = False, name: str = "log.csv") -> history.Report:
        text, cells = io.StringIO(), dict(PLAIN)
        writer = csv.DictWriter(text, HEAD)
        writer.writeheader()
        for row in rows:
            cells |= row
            writer.writerow(cells)
        (tmp_path / name).write_text(text.getvalue(), encoding="utf-8")
        return run(tmp_path / name, say=say, dry_run=dry_run)

    return act


def run(path: Path, *, say=str, dry_run: bool = False) -> history.Report:
    db.session.rollback()  # what the test has looked at was a reading transaction
    return history.run(path, say=say, dry_run=dry_run)


def at(day: int, time: str, revision: int, state: str, **more: str) -> dict[str, str]:
    return {"sys_updated_at": f"{day}/3/2016 {time}", "sys_mod_count": str(revision), "incident_state": state, **more}


LIFE = (
    at(1, "08:05", 0, "New"),
    at(1, "09:00", 1, "Active", assigned_to="Resolver 2", reassignment_count="1", assignment_group="Group 2"),
    at(1, "10:00", 2, "Awaiting Vendor", priority="2 - High"),
    at(2, "10:00", 3, "Awaiting Problem"),
    at(3, "10:00", 4, "Active", category="Category 5"),
    at(3, "11:00", 5, "Active"),
    at(4, "10:00", 6, "Resolved"),
    at(5, "10:00", 7, "Active", reopen_count="1"),
    at(6, "10:00", 8, "Resolved"),
    at(9, "12:00", 9, "Closed"),
)


def ticket(ref: str = "INC1") -> Ticket:
    return db.session.scalars(select(Ticket).where(Ticket.external_ref == ref)).one()


def events(ref: str = "INC1") -> list[Event]:
    rows = select(Event).where(Event.subject_id == ticket(ref).id).order_by(Event.id)
    return list(db.session.scalars(rows))


def kinds(ref: str = "INC1") -> list[str]:
    return [event.kind.removeprefix("ticket.") for event in events(ref)]


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def person(name: str) -> User:
    return db.session.scalars(select(User).where(User.external_ref == name)).one()


# ── One record ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_comes_with_its_state_its_stamps_and_all_that_happened(app, bring):
    assert str(bring(*LIFE)) == "created 1, updated 0, unchanged 0, refused 0"
    one = ticket()
    assert (one.number, one.state, one.priority, one.category) == ("T1603-0001", "complete", "high", "Category 5")
    assert (one.title, one.channel, one.edition_id) == ("Category 5 · Sub 4", "phone", None)
    assert one.opened_at == one.asked_at == clock.parse("2016-03-01T08:00")
    assert (one.started_at, one.ended_at) == (clock.parse("2016-03-01T09:00"), clock.parse("2016-03-06T10:00"))
    assert (one.completed_at, one.cancelled_at) == (clock.parse("2016-03-09T12:00"), None)
    assert "impact: 2 - Medium" in one.description and "number: INC1" in one.description
    assert kinds() == ["opened", "assigned", "edited", "started", "edited", "waiting", "waiting", "recategorised",
                       "resumed", "edited", "ended", "reopened", "ended", "completed"]  # fmt: skip


def test_its_page_folds_away_the_files_other_columns_and_fines_nobody(app, bring, browser):
    bring(*LIFE)
    page = browser("manager").get(ticket().path).text
    assert "What the imported file says besides" in page and "Enter a penalty" not in page
    with unit_of_work():
        ours = make.ticket()
    assert "Enter a penalty" in browser("manager").get(ours.path).text


def test_events_are_dated_by_the_log_and_written_now_by_an_import(app, bring):
    bring(*LIFE)
    first, assigned = events()[:2]
    assert first.at == clock.parse("2016-03-01T08:00") and assigned.at == clock.parse("2016-03-01T09:00")
    assert {(one.recorded_at, one.via) for one in events()} == {(make.MONDAY, "import")}
    assert first.facts["file"] == "log.csv" and first.facts["row"] == 2
    assert assigned.facts == {
        "from": None, "to": person("Resolver 2").id, "reassigned": 1, "revision": 1,
    }  # fmt: skip
    assert {"changes": {"group": ["Group 1", "Group 2"]}, "revision": 1} in [one.facts for one in events()]
    assert {"changes": {"priority": ["normal", "high"]}, "revision": 2} in [one.facts for one in events()]
    assert [one.facts["reason"] for one in events() if one.kind.endswith("waiting")] == [
        "Awaiting Vendor", "Awaiting Problem",
    ]  # fmt: skip


def test_each_row_is_somebodys_doing_even_if_it_shows_no_change(app, bring):
    bring(at(1, "08:05", 0, "New"), at(1, "09:00", 1, "New", sys_updated_by="Updated by 8"))
    opened, edited = events()
    assert (opened.actor_id, edited.actor_id) == (person("Updated by 7").id, person("Updated by 8").id)
    assert (edited.kind, edited.facts) == ("ticket.edited", {"revision": 1})


def test_people_of_the_log_are_accounts_that_nobody_logs_in_with_and_that_owe_nothing(app, bring):
    bring(*LIFE)
    named = list(db.session.scalars(select(User).where(User.external_ref.is_not(None))))
    assert sorted(one.title for one in named) == ["Resolved by 4", "Resolver 2", "Updated by 7"]
    assert {(one.state, one.password_hash, one.roles) for one in named} == {("inactive", "", frozenset())}
    assert not db.session.scalars(select(Duty).where(Duty.owner_id.in_([one.id for one in named]))).all()
    for password in ("", "?", make.PASSWORD):
        with pytest.raises(Invalid), app.test_request_context():
            entrance.log_in(named[0].login, password, Visitor())
    assert ticket().owner_id == person("Resolver 2").id
    ended = [one.actor_id for one in events() if one.kind == "ticket.ended"]
    assert set(ended) == {person("Resolved by 4").id}


def test_nobody_is_judged_by_history(app, bring):
    before = count(Duty)
    bring(*LIFE)
    bring(at(1, "08:05", 0, "New", number="INC2"))  # never ended
    assert count(Duty) == before
    assert tickets.gaps(ticket()) == []


def test_a_location_is_a_unit_and_a_caller_its_contact(app, bring):
    bring(*LIFE)
    unit = db.session.scalars(select(Customer)).one()
    assert (unit.title, unit.external_ref, unit.number) == ("Location 9", "Location 9", "K0001")
    assert ticket().customer_id == unit.id
    contact = db.session.scalars(select(Contact)).one()
    assert (contact.name, contact.customer_id, ticket().contact_id) == ("Caller 1", unit.id, contact.id)


def test_a_record_of_no_location_belongs_to_a_unit_that_says_so(app, bring):
    bring(at(1, "08:05", 0, "New", location="?", caller_id="?", category="?", contact_type="Chat"))
    unit = db.session.scalars(select(Customer)).one()
    assert (unit.title, ticket().contact_id, ticket().category, ticket().channel) == ("未注明单位", None, "?", "")
    assert "contact_type: Chat" in ticket().description


def test_a_unit_and_a_person_already_there_are_used_again(app, bring):
    bring(*LIFE)
    bring(at(1, "08:05", 0, "New", number="INC2", assigned_to="Resolver 2"))
    assert (count(Customer), count(Contact)) == (1, 1)
    assert ticket("INC2").owner_id == ticket().owner_id


@pytest.mark.parametrize(
    ("states", "state", "told"),
    [
        (["Resolved"], "ended", ["opened", "started", "ended"]),
        (["New", "Closed"], "complete", ["opened", "started", "ended", "completed"]),
        (["New", "Awaiting Evidence"], "waiting", ["opened", "started", "waiting"]),
        (["New", "Canceled"], "cancelled", ["opened", "cancelled"]),
        (["Resolved", "Cancelled"], "cancelled", ["opened", "started", "ended", "cancelled"]),
        (["Closed", "Awaiting User Info"], "waiting",
         ["opened", "started", "ended", "completed", "reopened", "waiting"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_state_that_is_jumped_over_leaves_its_event(app, bring, states, state, told):
    bring(*(at(1, f"09:{minute:02d}", minute, name) for minute, name in enumerate(states)))
    assert (ticket().state, kinds()) == (state, told)


@pytest.mark.parametrize(
    ("states", "state", "told"),
    [
        (["Resolved", "Closed"], "complete", ["opened", "started", "ended", "reopened", "ended", "completed"]),
        (["Resolved", "Resolved"], "ended", ["opened", "started", "ended", "reopened", "ended"]),
        (["Closed", "Closed"], "complete",
         ["opened", "started", "ended", "completed", "reopened", "ended", "completed"]),
        (["Closed", "Resolved"], "ended", ["opened", "started", "ended", "completed", "reopened", "ended"]),
        (["Canceled", "Canceled"], "cancelled", ["opened", "cancelled", "reopened", "cancelled"]),
        (["Awaiting Vendor", "On Hold"], "waiting", ["opened", "started", "waiting", "reopened", "waiting"]),
        (["Active", "Active"], "working", ["opened", "started", "reopened"]),
        (["New"], "new", ["opened", "reopened"]),
        (["New", "New"], "new", ["opened", "reopened"]),
        (["Active"], "working", ["opened", "reopened", "started"]),
        (["Closed"], "complete", ["opened", "reopened", "started", "ended", "completed"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_reopening_that_is_only_counted_is_told_with_what_followed_it(app, bring, states, state, told):
    *first, last = [at(1, f"09:{minute:02d}", minute, name) for minute, name in enumerate(states)]
    assert bring(*first, {**last, "reopen_count": "1"}).refused == []
    assert (ticket().state, kinds()) == (state, told)
    moment = clock.parse(f"2016-03-01T09:{len(first):02d}")
    ended, completed = ticket().ended_at, ticket().completed_at
    assert (ended == moment) == (state in ("ended", "complete")) and (completed == moment) == (state == "complete")


# ── Odd rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

REASONS = {
    7: "-100 is none of those that are known", 9: "repeats row 8", 10: "31/2/2016 08:40 is no time",
    11: "does not fit between", 13: "taken: It counts a reopening", 15: "no number", 16: "10 cells where the header has 20",
    17: "taken: It was changed before it was opened", 19: "taken: It has the same sys_mod_count as row 18",
    21: "cannot go from Closed to New", 22: "INC1 comes again", 23: "7 - Whenever is none", 24: "12 cells",
    25: "many is no count", 26: "lies in the future", 27: "cannot be stored", 28: "cannot be stored", 30: "14 cells",
}  # fmt: skip


def test_every_odd_row_is_named_with_its_reason_and_the_good_ones_go_in(app):
    said: list[str] = []
    run(ODD, say=said.append)
    named = {int(line.split()[1].rstrip(":")): line for line in said if line.startswith("row ")}
    assert named.keys() == REASONS.keys()
    assert all(reason in named[row] for row, reason in REASONS.items())
    assert said[-1] == "created 4, updated 0, unchanged 0, refused 15"
    found = {one.external_ref: one.state for one in db.session.scalars(select(Ticket))}
    assert found == {"INC1": "complete", "INC2": "complete", "INC4": "complete", "INC5": "waiting"}
    assert kinds("INC2") == ["opened", "started", "edited", "reopened", "ended", "completed"]


def test_an_empty_file_is_said_to_be_empty(app, tmp_path):
    (tmp_path / "none.csv").touch()
    with pytest.raises(Invalid) as refused:
        history.run(tmp_path / "none.csv", say=str)
    assert str(refused.value.message) == "%(name)s is empty."


def test_odd_rows_are_named_again_and_change_nothing(app):
    run(ODD)
    before = count(Event)
    assert str(run(ODD)) == "created 0, updated 0, unchanged 4, refused 15"
    assert count(Event) == before


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_file_that_is_no_log_is_refused(app, tmp_path):
    (tmp_path / "list.csv").write_text("number,location\nINC1,Here\n", encoding="utf-8")
    with pytest.raises(Invalid) as refusal:
        run(tmp_path / "list.csv")
    assert "incident_state" in str(refusal.value.params["column"])
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(Invalid):
        run(tmp_path / "empty.csv")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_packed_file_cut_off_says_where_and_keeps_what_was_whole(app, tmp_path):
    rows = [",".join({**PLAIN, "number": f"INC{one}"}[name] for name in HEAD) for one in range(3000)]
    packed = gzip.compress("\n".join([",".join(HEAD), *rows]).encode(), mtime=0)
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    report = run(tmp_path / "cut.csv.gz")
    assert 0 < report.created < 3000
    assert report.refused[-1][1].message.startswith("The file breaks off here")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_cell_of_several_lines_is_one_row_and_a_windows_file_is_read(app, tmp_path):
    rows = [{**PLAIN, "subcategory": '"one\ntwo, ""three"""'}, {**PLAIN, "number": "INC2"}]
    lines = [",".join(HEAD), *(",".join(row[name] for name in HEAD) for row in rows)]
    (tmp_path / "log.csv").write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    assert str(run(tmp_path / "log.csv")) == "created 2, updated 0, unchanged 0, refused 0"
    assert ticket().title == 'Category 3 · one two, "three"'


# ── Again, longer, at once ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_import_changes_nothing(app, bring):
    bring(*LIFE)
    before, version = count(Event), ticket().version
    assert str(bring(*LIFE, name="renamed.csv")) == "created 0, updated 0, unchanged 1, refused 0"
    assert (count(Event), ticket().version) == (before, version)


def test_a_longer_log_adds_what_is_new_and_a_shorter_one_nothing(app, bring):
    bring(*LIFE[:5])
    assert ticket().state == "working"
    assert str(bring(*LIFE)) == "created 0, updated 1, unchanged 0, refused 0"
    assert (ticket().state, len(kinds()), ticket().version) == ("complete", 14, 2)
    assert str(bring(*LIFE[:3])) == "created 0, updated 0, unchanged 1, refused 0"
    assert ticket().state == "complete"


def test_another_history_of_a_record_is_refused_as_what_is_written_stays(app, bring):
    bring(*LIFE)
    report = bring(at(1, "08:05", 0, "New"), at(1, "09:30", 1, "Active"))
    assert str(report) == "created 0, updated 0, unchanged 0, refused 1"
    assert "already" in report.refused[0][1].message and ticket().state == "complete"


def test_a_record_that_was_worked_on_here_is_left_alone(app, bring):
    bring(*LIFE[:5])
    with unit_of_work():
        tickets.note(ticket(), by=make.who("manager"), words="客户来电")
    assert bring(*LIFE[:5]).unchanged == 1
    report = bring(*LIFE)
    assert report.updated == 0 and "worked on here" in report.refused[0][1].message
    assert ticket().state == "working"


def test_a_dry_run_says_the_same_and_keeps_nothing(app):
    said: list[str] = []
    before = count(Event)
    tried = run(ODD, say=said.append, dry_run=True)
    assert (count(Ticket), count(Customer), count(Event)) == (0, 0, before)
    assert "a dry run: nothing was kept." in said
    assert str(run(ODD)) == str(tried)
    assert ticket("INC1").number == "T1603-0001"


def many(path: Path, records: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEAD)
        writer.writeheader()
        for number in range(records):
            cells = {**PLAIN, "number": f"INC{number:05d}", "location": f"Location {number % 7}"}
            for row in LIFE[:4]:
                cells |= row
                writer.writerow(cells)
    return path


def test_a_dry_run_says_to_the_word_what_the_import_then_says(app, tmp_path, monkeypatch, bring):
    monkeypatch.setattr(history, "BATCH", 2)
    bring(*LIFE[:5])  # INC1 goes on below, and of INC2 another history is told
    bring(*({**row, "number": "INC2"} for row in LIFE[1:3]))
    path = tmp_path / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEAD)
        writer.writeheader()
        for number in range(1, 9):
            cells = PLAIN | {"number": f"INC{number}", "location": f"Location {9 - number // 3}"}
            for row in LIFE[: number + 6]:
                writer.writerow(cells := cells | row)
        writer.writerows([PLAIN, {**PLAIN, "number": "?"}])  # which comes again, and which is nobody's
    before = count(Event), count(Ticket), count(Customer), count(User)
    tried: list[str] = []
    done: list[str] = []
    run(path, say=tried.append, dry_run=True)
    assert (count(Event), count(Ticket), count(Customer), count(User)) == before
    run(path, say=done.append)
    tried.remove("a dry run: nothing was kept.")
    assert tried == done
    assert done[-1] == "created 6, updated 1, unchanged 0, refused 3", done


def test_a_dry_run_holds_nobody_up_between_its_batches(app, tmp_path, monkeypatch, others_write):
    monkeypatch.setattr(history, "BATCH", 2)
    run(many(tmp_path / "log.csv", 5), dry_run=True, say=others_write)
    assert others_write.written == 3 + 6, "after each batch, then the sums"


def test_a_record_the_database_refuses_harms_no_other(app, bring, monkeypatch):
    """All its rows are named; of what it alone mentions nothing is made."""

    def told(rows):
        story = story_of(rows)
        if story.ref == "INC2":
            story.ended_at = None
        return story

    monkeypatch.setattr(history, "story_of", told)
    numbered = [{**row, "number": f"INC{n}", "location": f"Location {n}"} for n in range(1, 6) for row in LIFE]
    for created, unchanged in ((4, 0), (0, 4)):
        report = bring(*numbered)
        assert (report.created, report.unchanged) == (created, unchanged)
        assert [number for number, _why in report.refused] == list(range(12, 22))
        assert "completed" in str(report.refused[0][1].params["why"])
        assert set(db.session.scalars(select(Customer.title))) == {f"Location {n}" for n in (1, 3, 4, 5)}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # on SQLite whoever writes is alone anyway
def test_nobody_works_on_a_record_while_its_longer_log_comes_in(app, bring, monkeypatch):
    bring(*LIFE[:5])
    number, look = ticket().id, history._new_of

    def note() -> None:
        with app.app_context(), unit_of_work():
            tickets.note(db.session.get_one(Ticket, number), by=make.who("manager"), words="客户来电")

    other = threading.Thread(target=note)

    def looked(told, written):
        other.start()
        other.join(1)
        return look(told, written)

    monkeypatch.setattr(history, "_new_of", looked)
    assert bring(*LIFE).updated == 1
    other.join()
    assert [event.via for event in events()] == ["import"] * 14 + ["cli"]


def test_two_imports_at_once_make_each_record_once(served, tmp_path):
    path = many(tmp_path / "log.csv", 450)

    def act(_at: int) -> history.Report:
        with served.app_context():
            return history.run(path, say=str)

    results = together(2, act)
    assert sum(one.created for one in results) == sum(one.unchanged for one in results) == 450
    assert not [one for one in results if one.refused]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite gives new ids out row by row
def test_a_batch_asks_for_what_it_needs_at_once(app, tmp_path, statements):
    path = many(tmp_path / "log.csv", 200)
    run(path)
    assert len(statements) < 130, len(statements)  # seven of them units
    statements.clear()
    run(path)
    assert len(statements) < 15, statements


def test_what_was_imported_is_found_and_the_search_made_anew_says_the_same(app, bring):
    bring(*LIFE)
    for words, title in {"INC1": "Category 5 · Sub 4", "sub 4": "Category 5 · Sub 4", "Location 9": "Location 9",
                         "Caller 1": "Caller 1"}.items():  # fmt: skip
        found = find(make.who("manager"), words)
        assert title in [hit.title for hit in found.first + found.newest], words
    assert find(make.who("manager"), "INC1").first, "found exactly"
    before = _index()
    db.session.rollback()
    rebuild()
    assert _index() == before


def _index() -> set:
    rows = select(SearchRow.subject_id, SearchRow.kind, SearchRow.ref, SearchRow.name, SearchRow.text, SearchKey.key)
    return set(db.session.execute(rows.outerjoin(SearchKey, SearchKey.row_id == SearchRow.id)))


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_show_an_imported_record_with_its_own_category(app, bring, browser):
    bring(*LIFE)
    page = browser("manager")
    listed = page.get("/tickets")
    assert listed.status_code == 200 and "Category 5" in listed.text and "Location 9" in listed.text
    shown = page.get(ticket().path)
    assert shown.status_code == 200
    for words in (
        "Category 5",
        "Caller 1",
        "Resolver 2",
        "reopened the record",
        "Awaiting Vendor",
        "Imported as history",
    ):
        assert words in shown.text, words
    assert "still missing" not in shown.text and "Nothing is owed here." in shown.text
    for path in ("/customers/K0001", "/search?q=INC1", "/staff", "/duties", "/"):
        assert browser("admin" if path == "/staff" else "manager").get(path).status_code == 200, path


def test_an_imported_record_may_be_reopened_changed_and_completed(app, bring, browser):
    bring(*LIFE)
    path, page = ticket().path, browser("manager")
    assert page.send(f"{path}/reopening", reason="又出现").status_code == 303
    shown = page.get(path)
    assert shown.status_code == 200 and "still missing" not in shown.text
    assert page.get(f"{path}/edit").status_code == 200
    assert page.send(f"{path}/edit", page=f"{path}/edit", department="财务部", title="另一个说法").status_code == 303
    assert page.send(f"{path}/closure").status_code == 303
    assert (ticket().state, ticket().category, ticket().title) == ("complete", "Category 5", "另一个说法")
    assert not db.session.scalars(select(Duty).where(Duty.subject_id == ticket().id)).all()


# ── The real one ─────────────────────────────────────────────────────────────────────────────────────────────────────

PRIORITIES = {"1 - Critical": "urgent", "2 - High": "high", "3 - Moderate": "normal", "4 - Low": "low"}


def recount(path: Path) -> dict:
    """By the csv module alone: each record's last row says its priority and how often it went round."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        last = {row["number"]: row for row in csv.DictReader(file)}
    reopened = [int(row["reopen_count"]) for row in last.values()]
    handed = [int(row["reassignment_count"]) for row in last.values()]
    return {
        "records": len(last), "priorities": Counter(PRIORITIES[row["priority"]] for row in last.values()),
        "reopened": sum(map(bool, reopened)), "reopenings": sum(reopened),
        "reassigned": sum(map(bool, handed)), "reassignments": sum(handed),
    }  # fmt: skip


@pytest.mark.takes_long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("database", LARGE, indirect=True)
def test_the_counts_of_a_real_log_are_those_of_a_plain_recount(app):
    if not REAL.exists():
        leave_out("incidents", "the real log is not beside this checkout")
    said: list[str] = []
    report, wanted = run(REAL, say=said.append), recount(REAL)
    found = {
        "records": report.created, "priorities": report.priorities, "reopened": report.reopened,
        "reopenings": report.reopenings, "reassigned": report.reassigned, "reassignments": report.reassignments,
    }  # fmt: skip
    assert found == wanted
    assert (wanted["records"], wanted["reopened"], wanted["reassigned"]) == (9202, 133, 5108)
    odd = [int(line.split()[1].rstrip(":")) for line in said if line.startswith("row ")]
    assert odd == [330, 332, 336, 346, 348, 351, 358, 359, 438, 441]
    by_state = db.session.execute(select(Ticket.state, func.count()).group_by(Ticket.state))
    assert {one.state: one[1] for one in by_state} == {"complete": 9202}
    before = count(Event)
    assert str(run(REAL)) == "created 0, updated 0, unchanged 9202, refused 1"
    assert count(Event) == before


def test_a_row_that_only_stands_in_the_wrong_place_is_taken_and_named(app, bring):
    report = bring(at(1, "09:00", 0, "New"), at(1, "12:00", 2, "Closed"), at(1, "10:00", 1, "Active"))
    assert (report.created, report.refused) == (1, []) and len(report.odd) == 1
    assert ticket().state == "complete" and kinds() == ["opened", "started", "ended", "completed"]


@pytest.mark.parametrize("bad", ["\x9b2J", "a\u202eb", "a\u2066b"])
def test_what_no_form_takes_no_log_brings_in(app, bring, bad):
    report = bring(at(1, "09:00", 0, "New", location=f"Location {bad}"))
    assert report.created == 0 and "cannot be stored" in report.refused[0][1].message
