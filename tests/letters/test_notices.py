"""The notice of every end of a period there can be goes out once, on the right day (5.2.2); and what the letters say."""

import random
from calendar import monthrange
from datetime import date, timedelta

import pytest
from sqlalchemy import delete

from crm import clock
from crm.contracts import notices, workflow
from crm.contracts.models import Contract
from crm.db import db, unit_of_work
from crm.duties.acts import carry_out_due
from crm.duties.message import Message
from crm.duties.models import Duty
from crm.letters.letter import prepare
from crm.workdays import calendar
from tests import make
from tests.browsing import together
from tests.letters.post import kinds, letters, owed
from tests.shares import ALL

FROM, UNTIL = (date(2026, 1, 1), date(2036, 12, 31)) if ALL else (date(2028, 1, 1), date(2028, 12, 31))  # a leap year
EVERY = [FROM + timedelta(days=n) for n in range((UNTIL - FROM).days + 1)]
BATCH = 200
pytestmark = pytest.mark.timeout(3600 if ALL else 180)


def month_before(day: date) -> date:
    """The same day of the month before, or its last."""
    year, month = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def right_day(end: date) -> date:
    """One calendar month before; on a day off the working day before that."""
    day, days = month_before(end), calendar()
    while not days.works(day):
        day -= timedelta(days=1)
    return day


def at(day: date):
    return clock.frozen(clock.parse(f"{day}T09:00"))


def opened(ends: list[date], *, reminders: bool = False) -> None:
    """A contract for each of these ends, all of one customer, long before the first of them."""
    with at(ends[0] - timedelta(days=60)):
        with unit_of_work():
            unit_id = make.customer("一家单位", email="kuaiji@example.com").id
        for begin in range(0, len(ends), BATCH):
            with unit_of_work():
                unit = db.session.get_one(make.Customer, unit_id)
                for end in ends[begin : begin + BATCH]:
                    workflow.take_over(unit, [], starts_on=end - timedelta(days=364), ends_on=end, title="年度服务")
        if not reminders:
            with unit_of_work():
                db.session.execute(delete(Duty).where(Duty.rule.startswith("contract.remind")))


def days_of(ends: list[date]) -> list[date]:
    """From the day they were opened on to the last end."""
    first = ends[0] - timedelta(days=60)
    return [first + timedelta(days=n) for n in range((ends[-1] - first).days + 1)]


def sweep(day: date) -> int:
    with at(day):
        return carry_out_due(clock.now())


def written(rule: str = "contract.notice") -> dict[str, list[date]]:
    """What each letter was for → the days on which it was written."""
    db.session.rollback()
    found: dict[str, list[date]] = {}
    for slot, queued in db.session.query(Message.slot, Message.queued_at).filter(Message.rule == rule):
        found.setdefault(slot, []).append(clock.local(queued).date())
    return found


def test_each_notice_is_written_once_on_the_right_day(app):
    opened(EVERY)
    for day in days_of(EVERY):
        sweep(day)
    assert written() == {str(end): [right_day(end)] for end in EVERY}


@pytest.mark.parametrize("seed", range(3 if ALL else 1))
def test_days_on_which_nobody_swept_are_caught_up(app, seed):
    some = EVERY if ALL else EVERY[::3]
    opened(some)
    chance = random.Random(seed)
    swept = [day for day in days_of(some) if chance.random() < 0.6]
    for day in swept:
        sweep(day)
    first = {end: next(day for day in swept if day >= right_day(end)) for end in some}
    assert written() == {str(end): [first[end]] for end in some}


def test_two_sweeps_at_once_write_each_once(served, app):
    some = EVERY if ALL else EVERY[31:91]
    opened(some)
    db.session.rollback()

    def one_of_two(_i: int) -> int:
        with served.app_context():
            return carry_out_due(clock.now())

    for day in days_of(some):
        with at(day):
            together(2, one_of_two)
    assert written() == {str(end): [right_day(end)] for end in some}


def test_the_reminders_follow_fifteen_seven_and_one_day_before_one_letter_a_day(app):
    some = EVERY[::10]
    opened(some, reminders=True)
    for day in days_of(some):
        sweep(day)
    of = {int(rule.rpartition("_")[2]): {} for rule in ("contract.remind_15", "contract.remind_7", "contract.remind_1")}
    for what, days in written("contract.reminder").items():
        rule, end = what.split()
        of[int(rule.rpartition("_")[2])][end] = days
    for count, sent in of.items():
        for end in some:
            wanted = calendar().previous(end - timedelta(days=count))
            same_day = {calendar().previous(end - timedelta(days=more)) for more in of if more > count}
            assert sent.get(str(end)) == (None if wanted in same_day else [wanted]), (count, end)


@pytest.mark.parametrize(("ends", "notice"), [
    ("2027-03-31", "2027-02-26"), ("2027-03-30", "2027-02-26"), ("2027-03-28", "2027-02-26"),  # 28 February is a Sunday
    ("2028-03-31", "2028-02-29"), ("2026-11-07", "2026-09-30"), ("2026-11-10", "2026-10-10"),  # the holidays; a Saturday worked
    ("2027-01-31", "2026-12-31"),
])  # fmt: skip
def test_ends_of_months_and_days_off(app, ends, notice):
    end = date.fromisoformat(ends)
    opened([end])
    for day in days_of([end]):
        sweep(day)
    assert written() == {ends: [date.fromisoformat(notice)]}


def test_a_moved_end_is_announced_anew_and_the_old_one_no_more(app):
    with unit_of_work():
        one = make.in_force(ends_on=date(2027, 3, 31))
    with unit_of_work():
        later = date(2027, 6, 30)
        workflow.adjust(one, by=make.who("manager"), starts_on=one.starts_on, ends_on=later, reason="送三个月")
    for day in (date(2027, 2, 26), date(2027, 5, 28), date(2027, 5, 31), date(2027, 6, 1)):
        sweep(day)
    assert written() == {"2027-06-30": [date(2027, 5, 28)]}


def test_a_decided_customer_is_not_reminded(app):
    with unit_of_work():
        one = make.in_force()
        workflow.answer(one, by=make.who("followup"), answer="renews")
    assert owed("contract.remind_1") == [] and len(owed("contract.notice")) == 1


# ── What they say ──────────────────────────────────────────────────────────────────────────────────────────────────


def prepared(one: Contract, monkeypatch) -> str:
    """The text of its last letter."""
    said = []
    monkeypatch.setattr("crm.letters.letter.sheet_of", lambda version, about, number: said.append((version, about)) or b"%PDF")
    with unit_of_work(read_only=True):
        prepare(letters()[-1])
    version, about = said[0]
    assert about.to and about.values["number"] == one.number
    return version.subject


@pytest.mark.parametrize(("brands", "subject"), [
    (["金洋"], "金洋售后服务到期通知函"), (["金蝶"], "金蝶软件售后服务到期通知函"), (["启擎"], "启擎软件售后服务到期通知函"),
    (["金蝶", "启擎"], "金洋售后服务到期通知函"), (["别家"], "金洋售后服务到期通知函"), ([], "金洋售后服务到期通知函"),
])  # fmt: skip
def test_the_letter_is_that_of_the_brand_or_the_departments_own(app, monkeypatch, brands, subject):
    with unit_of_work():
        unit = make.customer("金蝶用户", email="a@example.cn")
        installed = [make.installation(unit, of=make.serials.product(brand, "K3")) for brand in brands]
        end = date(2026, 12, 23)
        one = workflow.take_over(unit, installed, starts_on=end - timedelta(days=364), ends_on=end, title="")
    carry_out_due(clock.now())
    assert prepared(one, monkeypatch) == subject


def test_why_a_notice_was_or_was_not_sent_is_told(app):
    with unit_of_work():
        due, later, over = make.in_force(), make.in_force(ends_on=date(2027, 8, 31)), make.in_force(ends_on=date(2026, 11, 1))
        nowhere = make.in_force(make.customer("无址单位"))
    carry_out_due(clock.now())
    db.session.rollback()
    assert [notices.why(one).what for one in (due, later, over, nowhere)] == ["waiting", "not_yet", "over", "no_address"]
    assert notices.why(due).message_id == letters()[0].id
    assert "contract.notified" not in kinds(over.id)
    assert [one.contract.id for one in notices.forecast(make.who("followup"), date(2027, 7, 31))] == [nowhere.id, later.id]
