"""The demo department's penalties: proposed through the year, decided, signed, some contested; each month closed and something
spent of the fund. And those that wait today (7)."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.fund import workflow as fund
from crm.fund.models import Month
from crm.penalties import grounds
from crm.penalties import workflow as penalties
from crm.penalties.models import Penalty, State
from crm.penalties.proposing import propose
from crm.penalties.workflow import Found
from crm.reports.models import Kind
from crm.reports.periods import Period
from crm.staff.models import User

Life = Iterator[datetime]
REPORTED = 3  # months
SPENT = ("水果", "生日蛋糕", "部门聚餐", "羽毛球场地", "新人欢迎午餐", "打印机墨盒")
FACTS = {
    "3.9.late": ("周五质量例会迟到", "例会九点开始，九点十五分到场，事先没有说明。"),
    "3.7.fine": ("上班时间联系不上", "上午三次打电话都没接，事后也没有回。"),
}


class Penalties:
    """What a miss costs, and what becomes of it."""

    people: dict[str, User]
    report: Any
    dice: Random
    days: Any
    today: date
    begin: Any
    when: Any
    morning: Any

    def plan_penalties(self) -> None:
        for ago in range(11, -1, -1):
            month = self.today.replace(day=1) - relativedelta(months=ago)
            at = self.morning(self.days.add_days(month, 2))
            self.begin(at, self.month_of_penalties(month - relativedelta(months=1)), Random(f"{self.today} penalties {ago}"))
        self.begin(self.when("earlier 16:30"), self.by_hand("3.7.fine", "specialist", 3000, appeals=True))
        self.begin(self.when("last 15:10"), self.by_hand("3.9.late", "specialist2"))

    def month_of_penalties(self, month: date) -> Life:
        """In the first days of the next: what the month before has cost is proposed, decided and signed, and it is closed."""
        for one in (month, clock.today().replace(day=1)):
            if db.session.scalar(select(Month.id).where(Month.month == one)) is None:
                fund.open_month(one)
        manager, new = self.people["manager"], [propose(ground) for ground in list(grounds.all_new())]
        issued = [row for row in new if manager.id not in row.askers and self._issued(row)]
        yield self.when("1-1 days")
        for row in issued:
            penalties.sign(row, by=db.session.get_one(User, row.concerned_id))
        if issued and self.dice.random() < 0.4:
            person = db.session.get_one(User, issued[0].concerned_id)
            penalties.appeal(issued[0], by=person, words="当天在客户现场断网，已电话说明。")
        yield self.when("1-2 days")
        for row in issued[:1]:
            if row.state == State.APPEALED:
                penalties.decide(row, by=self.people["director"], outcome="struck", answer="通话记录可以证明，撤销。")
        yield from self._closing(month)

    def _issued(self, row: Penalty) -> bool:
        if self.dice.random() < 0.15:
            penalties.waive(row, by=self.people["manager"], reason="当天系统停机，情有可原。")
            return False
        penalties.issue(row, by=self.people["manager"], facts=row.facts_said)
        return True

    def _closing(self, month: date) -> Life:
        row = db.session.scalar(select(Month).where(Month.month == month))
        if row is not None and fund.MOVES["close"].open_to(self.people["director"], row, ["month.close"]):
            fund.close(row, by=self.people["director"])
            yield self.when("60-200 minutes")
            fund.take(row, by=self.people["archivist"])
            if month >= self.today.replace(day=1) - relativedelta(months=REPORTED):
                yield from self.report(Kind.PENALTIES, Period.month(month))
        if fund.balance() >= 15000:
            fen, purpose = self.dice.randint(60, 140) * 100, self.dice.choice(SPENT)
            fund.spend(by=self.people["director"], fen=fen, on=clock.today(), purpose=purpose)

    def by_hand(self, key: str, whose: str, fen: int | None = None, *, appeals: bool = False) -> Life:
        """A finding of follow-up's that a manager makes a notice; it waits for its signature, or for the director's answer."""
        title, facts = FACTS[key]
        found = Found(key, self.people[whose], clock.now() - timedelta(hours=5), title, facts, "王芳", fen)
        row = penalties.enter(found, by=self.people["followup"])
        yield self.when("10-30 minutes")
        penalties.issue(row, by=self.people["manager"], facts=facts, fen=fen)
        if appeals:
            yield self.when("20-40 minutes")
            penalties.sign(row, by=self.people[whose], words="收到。")
            penalties.appeal(row, by=self.people[whose], words="那天在客户机房，里面没有信号，出来后马上回了电话。")
