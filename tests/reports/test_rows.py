"""From its submission on, a report's numbers open the rows they counted then, whatever becomes of those."""

from collections.abc import Iterator

import pytest

from crm import clock
from crm.db import db, unit_of_work
from crm.errors import Refused
from crm.reports import keeping, workflow
from crm.reports.kinds import SORTS
from crm.reports.layout import As, Layout
from crm.reports.models import Counted, Kind, Report, State
from crm.tickets import workflow as tickets
from crm.tickets.models import Ticket
from tests import make
from tests.reports.work import DECEMBER, closed_november, record, rows_at

pytestmark = pytest.mark.usefixtures("sound")
BY = {Kind.CALLBACKS: "followup", Kind.SPECIALIST: "specialist", Kind.COMPANY: "director"}


@pytest.fixture
def world():
    return closed_november


@pytest.fixture
def work(app):
    with clock.frozen(DECEMBER):
        yield
    db.session.rollback()


def submitted(kind: Kind) -> Report:
    row = db.session.query(Report).filter_by(category=kind).order_by(Report.id).first()
    with unit_of_work():
        workflow.submit(row, by=make.who(BY.get(kind, "manager")), remark="平稳")
    return row


def cells(figures: dict, layout: Layout) -> Iterator[tuple[str, As, object, str]]:
    """Each number: what it is called, its kind, its value and where it leads."""
    at = figures.get("at", {})
    yield from ((one.key, one.kind, figures["number"].get(one.key), at.get(one.key, "")) for one in layout.numbers)
    for table in layout.tables:
        for line in table.rows(figures):
            yield from ((f"{table.key} {one.key}", one.kind, line.get(one.key), line.get("at", {}).get(one.key, "")) for one in table.columns)


def kept(row: Report) -> dict[int, list[int]]:
    return {one.place: keeping.unpacked(one.rows) for one in db.session.query(Counted).filter_by(report_id=row.id)}


def told(row: Report, place: int, login: str = "manager") -> tuple[list[str], int]:
    """Whose numbers the page of some rows shows, and how many it leaves out."""
    found, hidden = keeping.page(keeping.get(row, place), make.who(login))
    return [one.subject.number for one in found.rows], hidden


LEAST = {Kind.SERVICES: 60, Kind.SPECIALIST: 30, Kind.FRIDAY: 12, Kind.CALLBACKS: 6, Kind.SATISFACTION: 8, Kind.PENALTIES: 2}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind != Kind.COMPANY])
def test_each_number_that_counts_something_has_kept_just_so_many_rows(work, kind):
    row, layout = db.session.query(Report).filter_by(category=kind).order_by(Report.id).first(), SORTS[kind].layout
    before = list(cells(workflow.as_now(row), layout))
    submitted(kind)
    rows, followed = kept(row), 0
    for (name, of, value, now), (_name, _of, said, then) in zip(before, cells(row.body, layout), strict=True):
        assert (said or None) == (value or None), name
        count = rows_at(now)
        if count is None:
            assert then == now, f"{name}: what is no list stays as it is"
        elif not value:
            assert not then or then.startswith(keeping.path_of(row, "")), f"{name}: of nothing no link is shown"
        else:
            place = int(then.removeprefix(f"{row.path}/rows/"))
            assert len(rows[place]) == count and (of != As.COUNT or count == value), name
            followed += 1
    assert followed >= LEAST[kind]


def test_they_are_the_same_rows_when_these_have_changed(work, browser):
    row = submitted(Kind.SERVICES)
    places = {key: int(row.body["at"][key].rpartition("/")[2]) for key in ("open", "lacking", "late")}
    before, opened = {key: told(row, place) for key, place in places.items()}, [None]
    assert {key: len(numbers) for key, (numbers, _hidden) in before.items()} == {key: row.body["number"][key] for key in places}
    with unit_of_work():
        for opened in db.session.query(Ticket).filter(Ticket.state.in_(("new", "working"))):
            tickets.cancel(opened, by=make.who("manager"), reason="重复")
    record("2026-11-27T10:00", upto="working")
    assert {key: told(row, place) for key, place in places.items()} == before
    assert workflow.as_now(row)["number"]["open"] == 1 != row.body["number"]["open"]
    shown = browser("manager").get(row.body["at"]["open"])
    assert shown.status_code == 200 and all(number in shown.text for number in before["open"][0])
    assert "Not ended" in shown.text and shown.text.count("state-cancelled") == len(before["open"][0]), "each as it is now"
    assert "/tickets?since=2026-11-01&amp;until=2026-11-30&amp;state=open" in shown.text, "and the list of today"


def test_what_was_missed_is_kept_by_its_deadline(work, browser):
    row = submitted(Kind.FRIDAY)
    place = int(row.body["at"]["missed"].rpartition("/")[2])
    numbers, hidden = told(row, place)
    assert len(numbers) == row.body["number"]["missed"] >= 3 and not hidden
    text = browser("manager").get(row.body["at"]["missed"]).text
    assert "Missed in the week" in text and "Who owed it" in text and numbers[0] in text
    listed = [line["number"] for line in row.body["missed"]]
    assert sorted(numbers) == sorted(listed), "the very ones its table lists"


def test_what_is_given_back_keeps_its_rows_and_what_is_submitted_again_has_its_own(work, browser):
    row = submitted(Kind.SERVICES)
    first, rows = row.body["at"]["records"], kept(row)
    with unit_of_work():
        workflow.send_back(row, by=make.who("director"), reason="漏了一条")
    assert workflow.as_now(row)["at"]["records"].startswith("/tickets?"), "what can still change leads to the list"
    record("2026-11-27T10:00")
    row = submitted(Kind.SERVICES)
    second, places = row.body["at"]["records"], kept(row)
    assert first != second and {place: places[place] for place in rows} == rows
    counts = {one: len(places[int(one.rpartition("/")[2])]) for one in (first, second)}
    assert counts[second] == counts[first] + 1 == 11
    page = browser("manager")
    assert first in page.get(f"{row.path}?version=1").text and second in page.get(row.path).text
    assert "Records" in page.get(first).text and page.get(f"{row.path}/rows/{max(places) + 1}").status_code == 404


def test_the_companys_numbers_open_the_rows_of_the_reports_they_are_taken_from(work, browser):
    services = submitted(Kind.SERVICES)
    assert workflow.as_now(db.session.query(Report).filter_by(category=Kind.COMPANY).one())["at"]["records"] == services.body["at"]["records"]
    row = submitted(Kind.COMPANY)
    assert row.body["at"]["records"] == services.body["at"]["records"]
    assert row.body["at"]["called"].startswith(keeping.path_of(row, "")), "of one that was not submitted it keeps its own"
    assert browser("director").get(row.body["at"]["called"]).status_code == 200


def test_who_reads_the_report_reads_those_rows_that_are_theirs_to_read(work, browser):
    row = submitted(Kind.PENALTIES)
    place = int(row.body["at"]["proposed"].rpartition("/")[2])
    assert told(row, place, "director") == (told(row, place)[0], 0)
    numbers, hidden = told(row, place, "specialist2")
    assert hidden == len(told(row, place)[0]) - len(numbers) > 0, "a specialist sees none but their own"
    assert browser("specialist").get(row.body["at"]["proposed"]).status_code == 404, "and not this report"


def test_figures_that_change_meanwhile_are_asked_again(work, monkeypatch):
    row = db.session.query(Report).filter_by(category=Kind.SERVICES).one()
    monkeypatch.setattr(workflow, "lite", lambda: False)
    behind, asked = keeping.behind, []

    def slow(figures, layout):
        rows = behind(figures, layout)
        if not asked:  # somebody else's record comes between the count and its rows
            db.session.query(Ticket).filter_by(state="working").first().state = State.WAIVED
            db.session.flush()
        asked.append(figures["number"]["open"])
        return rows

    monkeypatch.setattr(keeping, "behind", slow)
    row = submitted(Kind.SERVICES)
    assert asked[1:] == [asked[0] - 1] and row.body["number"]["open"] == asked[1]
    assert len(kept(row)[int(row.body["at"]["open"].rpartition("/")[2])]) == asked[1]
    with unit_of_work():
        db.session.query(Ticket).filter_by(state=State.WAIVED).one().state = "working"


def test_figures_that_never_stand_still_are_refused_and_nothing_is_kept(work, monkeypatch):
    monkeypatch.setattr(workflow, "lite", lambda: False)
    now, turns = workflow.as_now, iter(range(99))
    monkeypatch.setattr(workflow, "as_now", lambda report: now(report) | {"turn": next(turns)})
    with pytest.raises(Refused):
        submitted(Kind.SERVICES)
    db.session.rollback()
    row = db.session.query(Report).filter_by(category=Kind.SERVICES).one()
    assert row.state == State.OPEN and kept(row) == {}


def test_ids_are_packed_small_and_come_back_sorted():
    for ids in ([], [7], [9, 3, 4], range(5, 50_000, 3)):
        assert keeping.unpacked(keeping.packed(ids)) == sorted(ids)
    assert len(keeping.packed(range(1, 10_001))) < 1000


def test_pages_of_many_rows_go_on_from_a_row(work, monkeypatch):
    row = submitted(Kind.SERVICES)
    counted = keeping.get(row, int(row.body["at"]["records"].rpartition("/")[2]))
    some, before, sizes = [], None, []
    while True:
        found, _hidden = keeping.page(counted, make.who("manager"), before, size=4)
        some += [one.subject.id for one in found.rows]
        sizes.append(len(found.rows))
        if (before := found.next) is None:
            break
    assert sizes == [4, 4, 2] and some == keeping.unpacked(counted.rows)[::-1]
