"""The monthly contract plan (4.manager.7, 4.director.5): proposed once, settled, completed as it was submitted, signed off."""

from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy.exc import IntegrityError

from crm import clock, sweep
from crm.contracts import paying, steps
from crm.contracts import workflow as contracts
from crm.contracts.models import Contract, Kind
from crm.contracts.models import State as ContractState
from crm.db import db, unit_of_work
from crm.duties.models import Duty
from crm.errors import Forbidden, Invalid, Refused, WrongState
from crm.plans import workflow
from crm.plans.completion import figures_of, shown
from crm.plans.models import Plan, PlanLine, State
from crm.staff import workflow as staff
from tests import make
from tests.browsing import together

DECEMBER, JANUARY = clock.parse("2026-12-01T09:00"), clock.parse("2027-01-04T09:00")
PRICE = 120_000


def ends(on: str, name: str, **details) -> Contract:
    unit = make.customer(name)
    make.contact(unit)
    return make.in_force(unit, ends_on=date.fromisoformat(on), amount_fen=PRICE, **details)


def sale(due: date, paid: int = 0) -> Contract:
    """A sale signed today, of which something may have come in."""
    row = make.contract(make.served_customer("买家"), category=Kind.SALES, installations=[], title="财务通", amount_fen=500_000,
                        starts_on=None, ends_on=None, upto="sent")  # fmt: skip
    contracts.agree(row, by=make.who("manager"), copy_due_on=clock.today(), payment_due_on=due)
    contracts.copy(row, by=make.who("specialist"), returned_on=clock.today())
    if paid:
        paying.pay(row, by=make.who("specialist"), fen=paid, paid_on=clock.today())
    return row


@pytest.fixture
def december(app) -> dict[str, str]:
    """What December's plan holds: two that end in it, at its first and last day, a third renewed ahead, and a final payment."""
    with unit_of_work():
        rows = {"first": ends("2026-12-01", "甲"), "last": ends("2026-12-31", "乙"), "ahead": ends("2026-12-20", "丙"),
                "sale": sale(date(2026, 12, 15), paid=100_000)}  # fmt: skip
        ends("2026-11-30", "早一天"), ends("2027-01-01", "晚一天"), sale(date(2027, 1, 1))
        renew(rows["ahead"], upto="running", amount_fen=150_000)
        return {name: row.number for name, row in rows.items()}


@pytest.fixture
def opened(december) -> Iterator[dict[str, str]]:
    """The first of December, its plan proposed."""
    sweep.tick(DECEMBER)
    with clock.frozen(DECEMBER):
        yield december


def renew(before: Contract, *, upto: str, **terms) -> Contract:
    starts = before.ends_on + timedelta(days=1)
    return make.contract(db.session.get_one(make.Customer, before.customer_id), successor_of=before, upto=upto,
                         starts_on=starts, ends_on=starts.replace(year=starts.year + 1) - timedelta(days=1), **terms)  # fmt: skip


def plan() -> Plan:
    db.session.rollback()
    return db.session.query(Plan).order_by(Plan.id.desc()).first()


def contract(number: str) -> Contract:
    return db.session.query(Contract).filter_by(number=number).one()


def lines() -> dict[str, PlanLine]:
    rows = db.session.query(PlanLine, Contract.number).join(Contract, Contract.id == PlanLine.contract_id)
    return {number: line for line, number in rows.filter(PlanLine.plan_id == plan().id)}


def act(verb, login: str, **words) -> None:
    with unit_of_work():
        verb(plan(), by=make.who(login), **words)


def submitted() -> None:
    """The plan's completion, on the first working day after the month."""
    act(workflow.settle, "manager")
    with clock.frozen(JANUARY):
        act(workflow.submit, "manager", remark="乙下月再谈。")


def test_on_the_first_of_the_month_its_plan_is_proposed_once_with_all_that_falls_into_it(december):
    sweep.tick(DECEMBER - timedelta(hours=9, minutes=1))
    assert plan() is None
    for _ in range(2):
        sweep.tick(DECEMBER)
    assert (plan().number, plan().month, plan().state) == ("H2612-0001", date(2026, 12, 1), State.PROPOSED)
    found = {number: (line.kind, line.expected_fen, line.ahead) for number, line in lines().items()}
    assert found == {
        december["first"]: ("renewal", PRICE, False), december["last"]: ("renewal", PRICE, False),
        december["ahead"]: ("renewal", 150_000, True), december["sale"]: ("final", 400_000, False),
    }  # fmt: skip
    (duty,) = db.session.query(Duty).filter_by(subject_id=plan().id)
    assert (duty.pool, duty.clause, duty.due_at) == ("manager", "4.manager.7", clock.parse("2026-12-03T18:00"))


def test_a_month_that_begins_on_a_day_off_is_settled_by_its_third_working_day(app):
    with unit_of_work(), clock.frozen(clock.parse("2027-05-01T00:05")):
        workflow.propose(date(2027, 5, 1))
    (duty,) = db.session.query(Duty).filter_by(subject_id=plan().id)
    assert duty.due_at == clock.parse("2027-05-07T18:00"), "the holiday lasts until the fourth"


def test_a_sweep_that_comes_late_catches_up_and_leaves_the_manager_as_long(december):
    sweep.tick(clock.parse("2027-02-02T09:00"))
    assert [one.title for one in db.session.query(Plan).order_by(Plan.month)] == ["2026-12", "2027-01", "2027-02"]
    for one in db.session.query(Duty).filter_by(rule="plan.settle"):
        assert clock.local(one.due_at).date() == date(2027, 2, 4)


def test_two_workers_propose_one_plan(december, app):
    def one(_i: int) -> int:
        with app.app_context():
            return workflow.propose_due(DECEMBER)

    with clock.frozen(DECEMBER):
        assert sum(together(2, one)) == 1
    assert db.session.query(Plan).count() == 1 and len(lines()) == 4


def test_a_month_that_fails_is_told_of_and_stops_no_later_one(december, app, monkeypatch, caplog):
    propose = workflow.propose

    def fail(month: date) -> Plan:
        if month == date(2026, 12, 1):
            raise IntegrityError("INSERT", {}, Exception("something else"))
        return propose(month)

    monkeypatch.setattr(workflow, "propose", fail)
    at = clock.parse("2027-02-02T09:00")
    with clock.frozen(at):
        assert workflow.propose_due(at) == 2
        assert "could not be made" in caplog.text
        monkeypatch.undo()
        assert workflow.propose_due(at) == 1, "tried again"


def test_the_manager_changes_the_lines_until_the_plan_is_settled(opened, browser):
    page, path = browser("manager"), plan().path
    one, last = lines()[opened["first"]].id, lines()[opened["last"]].id
    other = str(make.who("specialist2").id)
    typed = {f"expected_{one}": "999.50", f"owner_{one}": other, f"remark_{one}": "多两个用户", f"struck_{last}": "单位已搬走"}
    wrong = page.send(f"{path}/edit", **typed | {f"expected_{last}": "一千"})
    assert wrong.status_code == 422 and "多两个用户" in wrong.text and "such as 1200" in wrong.text
    assert page.send(f"{path}/edit", **typed).status_code == 303
    line = lines()[opened["first"]]
    assert (line.expected_fen, line.owner_id, line.remark) == (99_950, int(other), "多两个用户")
    text = page.get(path).text
    assert "¥1,200</del> → ¥999.50" in text and "Struck: 单位已搬走" in text and "李娜" in text
    assert figures_of(plan())["sums"]["expected"] == 99_950 + 150_000 + 400_000, "what is struck is not counted"
    assert page.send(f"{path}/settlement").status_code == 303
    assert page.send(f"{path}/edit", page="/account", version=str(plan().version), **typed).status_code == 409
    with pytest.raises(WrongState), unit_of_work():
        workflow.revise(plan(), {one: {"expected_fen": 1}}, by=make.who("manager"))
    with pytest.raises(WrongState), unit_of_work():
        workflow.add(plan(), contract(opened["first"]), by=make.who("manager"))
    assert lines()[opened["first"]].expected_fen == 99_950


def test_a_form_opened_before_somebody_else_changed_a_line_shows_both(opened, browser):
    page, path, line = browser("manager"), plan().path, lines()[opened["first"]]
    known = page.forms(f"{path}/edit")[-1]["fields"] | {"version": str(plan().version)}
    act(workflow.revise, "manager", lines={line.id: {"expected_fen": 77_700}})
    answer = page.send(f"{path}/edit", **known | {f"expected_{line.id}": "888"})
    assert answer.status_code == 409 and "888" in answer.text and "777.00" in answer.text


def test_a_line_nobody_has_said_an_amount_for_holds_the_plan_up(app):
    with unit_of_work():
        contract = make.in_force(ends_on=date(2026, 12, 10))  # from a file, without its amount
    sweep.tick(DECEMBER)
    with clock.frozen(DECEMBER):
        _settled_once_it_is_struck(contract.number)


def _settled_once_it_is_struck(number: str) -> None:
    with pytest.raises(Refused, match="Lines without an expected amount"), unit_of_work():
        workflow.settle(plan(), by=make.who("manager"))
    line = lines()[number]
    act(workflow.revise, "manager", lines={line.id: {"struck": "已停用"}})
    act(workflow.settle, "manager")
    assert plan().state == State.SETTLED


def test_what_falls_into_the_month_later_stands_beside_the_plan_until_it_is_put_in(opened, browser):
    with unit_of_work():
        later, moved = ends("2026-12-24", "后来的"), contract(opened["last"])
        contracts.adjust(moved, by=make.who("manager"), starts_on=moved.starts_on, ends_on=date(2027, 1, 31), reason="送一个月")
        number = later.number
    found = figures_of(plan())
    assert [one["number"] for one in found["beside"]] == [number] and found["sums"]["count"] == 4
    assert {one["number"]: one["moved_to"] for one in found["renewals"]}[opened["last"]] == "2027-01-31"
    page, path = browser("manager"), plan().path
    assert "Not in the plan" in page.get(path).text
    assert page.send(f"{path}/additions", contract_number="C9999-0001").status_code == 422
    assert page.send(f"{path}/additions", contract_number=number.lower()).status_code == 303
    assert page.send(f"{path}/additions", contract_number=number).status_code == 422, "it is there"
    found = figures_of(plan())
    assert not found["beside"] and found["sums"]["count"] == 5 and lines()[number].by_hand


def test_what_a_period_from_before_the_program_renewed_counts_as_renewed_and_brings_nothing(app):
    with unit_of_work():
        row = ends("2026-12-10", "早有下一期的")
        row.state = ContractState.RENEWED  # as adoption finds it
        ends("2026-12-11", "没有的")
    sweep.tick(DECEMBER)
    with clock.frozen(DECEMBER):
        known, _other = figures_of(plan())["renewals"]
        assert (known["outcome"], known["expected"], known["ahead"]) == ("renewed", 0, True)
        month = steps.month(date(2026, 12, 1), make.who("manager"))
    assert [(lane.value, len(cards)) for lane, cards in month.cards.items() if cards] == [("waiting", 1), ("running", 1)]


def test_a_contract_that_brings_nothing_is_not_put_in(opened):
    with unit_of_work():
        draft = make.contract(make.served_customer("谈着的")).number
    with pytest.raises(Invalid), unit_of_work():
        workflow.add(plan(), contract(draft), by=make.who("manager"))


def test_the_completion_says_of_each_line_what_became_of_it(opened):
    act(workflow.settle, "manager")
    with clock.frozen(DECEMBER + timedelta(days=2)), unit_of_work():
        renew(contract(opened["first"]), upto="returned", amount_fen=130_000)
        contracts.lapse(contract(opened["last"]), by=make.who("manager"), reason="不用了")
        paying.pay(contract(opened["sale"]), by=make.who("specialist"), fen=50_000, paid_on=clock.today())
    found = figures_of(plan())
    said = {one["number"]: (one["outcome"], one["signed"], one["paid"]) for one in (*found["renewals"], *found["finals"])}
    assert said == {
        opened["first"]: ("signed", 130_000, 0), opened["last"]: ("lapsed", 0, 0),
        opened["ahead"]: ("renewed", 150_000, 150_000), opened["sale"]: ("partly", 400_000, 50_000),
    }  # fmt: skip
    assert found["sums"] == {"count": 4, "expected": 2 * PRICE + 550_000, "signed": 680_000, "paid": 200_000}
    assert [(one["name"], one["paid"]) for one in found["owners"]] == [("张伟", 200_000)]


def test_what_was_submitted_does_not_move_when_a_payment_comes_later(opened):
    with pytest.raises(WrongState), unit_of_work():
        workflow.submit(plan(), by=make.who("manager"))
    act(workflow.settle, "manager")
    with clock.frozen(clock.parse("2026-12-31T23:59")), pytest.raises(Refused, match="not over yet"), unit_of_work():
        workflow.submit(plan(), by=make.who("manager"))
    with clock.frozen(JANUARY):
        act(workflow.submit, "manager")
        before = shown(plan())
        with unit_of_work():
            paying.pay(contract(opened["sale"]), by=make.who("specialist"), fen=400_000, paid_on=clock.today())
        assert shown(plan()) == before != figures_of(plan())


def test_what_is_submitted_is_sound(sound, opened):
    submitted()


def test_the_director_signs_it_off_or_sends_it_back_and_the_figures_are_those_of_the_new_day(opened):
    submitted()
    with clock.frozen(JANUARY):
        act(workflow.send_back, "director", reason="尾款漏了一笔")
        assert (plan().state, plan().body, plan().submitted_by_id) == (State.SETTLED, None, None)
        assert {duty.rule for duty in db.session.query(Duty).filter_by(subject_id=plan().id) if duty.open} == {"plan.complete_again"}
        with unit_of_work():
            paying.pay(contract(opened["sale"]), by=make.who("specialist"), fen=400_000, paid_on=clock.today())
        act(workflow.submit, "manager")
        assert shown(plan())["finals"][0]["outcome"] == "paid"
        act(workflow.sign_off, "director", words="同意")
        with pytest.raises(WrongState), unit_of_work():
            workflow.send_back(plan(), by=make.who("director"), reason="再看看")
    assert plan().state == State.SIGNED_OFF
    assert not any(duty.open for duty in db.session.query(Duty).filter_by(subject_id=plan().id))


def test_whoever_submitted_it_never_signs_it_off_whatever_roles_they_hold(opened, browser):
    with unit_of_work():
        staff.edit_user(make.who("manager"), by=make.who("admin"), roles=["manager", "director"], active=True)
    submitted()
    with clock.frozen(JANUARY):
        for verb, words in ((workflow.sign_off, {}), (workflow.send_back, {"reason": "再看看"})):
            with pytest.raises(Forbidden), unit_of_work():
                verb(plan(), by=make.who("manager"), **words)
        text = browser("manager").get(plan().path).text
    assert "somebody else signs it off" in text and "/signature" not in text


def test_the_manager_alone_settles_and_submits(opened):
    for login in ("specialist", "followup", "director"):
        for verb, words in ((workflow.settle, {}), (workflow.submit, {}), (workflow.revise, {"lines": {}})):
            with pytest.raises(Forbidden), unit_of_work():
                verb(plan(), by=make.who(login), **words)


def test_whoever_reads_contracts_reads_the_plans(opened, browser):
    readers = {"specialist", "followup", "manager", "director"}
    for login in (*readers, "developer", "archivist", "admin"):
        page = browser(login)
        for path in ("/plans", plan().path, f"{plan().path}/file.xlsx"):
            assert page.get(path).status_code == (200 if login in readers else 403), (login, path)
        assert page.get(f"{plan().path}/edit").status_code == (200 if login == "manager" else 403)


def test_the_page_the_plot_and_the_file_say_the_same(opened, browser):
    act(workflow.revise, "manager", lines={lines()[opened["first"]].id: {"remark": "=1+1"}})
    page = browser("manager")
    text = page.get(plan().path).text
    assert "¥7,900" in text and "<svg" in text and "renewed ahead" in text and "¥7,900" in page.get("/plans").text
    book = load_workbook(BytesIO(page.get(f"{plan().path}/file.xlsx").data))
    assert book.sheetnames == ["By person in charge", "Renewals", "Final payments", "Not in the plan"]
    assert [cell.value for cell in book["By person in charge"][3]] == ["Together", 4, 7900, 5500, 1500]
    assert [cell.value for cell in book["Renewals"]["A"]][1:] == [opened["first"], opened["ahead"], opened["last"]]
    said = next(cell for row in book["Renewals"].rows for cell in row if cell.value == "=1+1")
    assert said.data_type == "s"


def test_the_list_asks_no_more_for_more_months(december, browser, statements):
    page = browser("manager")
    counts = []
    for at in (DECEMBER, clock.parse("2027-03-01T09:00")):
        sweep.tick(at)
        page.get("/plans")
        statements.clear()
        assert page.get("/plans").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] and db.session.query(Plan).count() == 4


def test_a_department_without_contracts_plans_none_and_the_list_says_when_the_next_comes(app, browser):
    sweep.tick(clock.parse("2027-02-02T09:00"))
    text = browser("director").get("/plans").text
    assert "The plan of 2026-12 is proposed on 2026-12-01 Tue" in text and "No plan yet" in text


def test_what_began_unpaid_is_told_apart_and_who_will_not_renew_is_marked(opened, browser):
    with unit_of_work():
        contracts.answer(contract(opened["last"]), by=make.who("manager"), answer="leaves", why="换了软件")
        after = renew(contract(opened["first"]), upto="returned", amount_fen=PRICE)
        paying.release(after, by=make.who("manager"), reason="老客户")
    told = {line["number"]: line for line in figures_of(plan())["renewals"]}
    assert (told[opened["first"]]["outcome"], told[opened["first"]]["signed"]) == ("begun", PRICE)
    assert told[opened["last"]]["marks"] == ["leaves"] and told[opened["ahead"]]["outcome"] == "renewed"
    text = browser("manager").get(plan().path).text
    assert "Renewed, not paid" in text and "will not renew" in text
