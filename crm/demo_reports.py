"""The demo department's reports: of the last months submitted and received, this month's first ones as people meet them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta

from crm import clock
from crm.duties.models import Edition
from crm.reports import workflow as reports
from crm.reports.models import Kind, Report
from crm.reports.periods import Period
from crm.staff.models import User

Life = Iterator[datetime]
MONTHS = 3
WROTE = {  # kind → who submits, who has it next, by which verb, in which words
    Kind.CALLBACKS: ("followup", "manager", "receive", "联系不上的客户下月继续打。"),
    Kind.SERVICES: ("manager", "director", "verify", "月末报表问题集中，已安排两人值守。"),
    Kind.SATISFACTION: ("manager", "director", "receive", "打印速度是主要意见，已转开发。"),
    Kind.PENALTIES: ("manager", "director", "receive", ""),
    Kind.COMPANY: ("director", "", "", "本月服务平稳，续签按计划推进，投诉均已答复。"),
}  # fmt: skip
USED = ("财务换人，月结改由新会计做，已电话指导。", "新增两个用户，进销存开始使用。", "仓库模块暂停使用，客户称明年再启用。")


class Reports:
    """What is owed each month and each week, by whom."""

    people: dict[str, User]
    edition: Edition
    dice: Random
    days: Any
    today: date
    begin: Any
    when: Any
    morning: Any

    def plan_reports(self) -> None:
        first = self.today.replace(day=1)
        if self.today <= self.days.next(first):  # those of the month before are still to come: the rulebook asks for them, too
            self.edition.opened_at = clock.moment(first) - timedelta(days=1)
        for ago in range(MONTHS, 0, -1):
            period = Period.month(self.today.replace(day=1) - relativedelta(months=ago))
            begins = self.morning(self.days.next(period.after.since))
            for kind in [one for one in WROTE if one != Kind.PENALTIES]:  # that comes once its month is closed
                later = self.morning(self.days.add_days(self.days.next(period.after.since), 6))
                at = later if kind == Kind.COMPANY else begins  # which is put together from the others
                report = self.report(kind, period, back=kind == Kind.SERVICES and ago == 2)
                self.begin(at, report, Random(f"{self.today} {kind} {ago}"))
            for login in ("specialist", "specialist2"):
                self.begin(begins, self.of_specialist(login, period), Random(f"{self.today} {login} {ago}"))
        week = Period.week(self.today).before
        if week.over:
            self.begin(self.morning(self.days.next(week.after.since)), self.friday(week), Random(f"{self.today} friday"))

    def report(self, kind: Kind, period: Period, back: bool = False) -> Life:
        """Submitted within a day or two of its month's end, and received by the next; given `back` once before that."""
        who, next_one, verb, words = WROTE[kind]
        row = reports.prepare(kind, period)
        yield self.when("1-2 days")
        reports.submit(row, by=self.people[who], remark="" if back else words)
        if back:
            yield self.when("60-120 minutes")
            reports.send_back(row, by=self.people[next_one], reason="月末集中的报表问题请说明怎么安排的人。")
            yield self.when("60-300 minutes")
            reports.submit(row, by=self.people[who], remark=words)
        if verb:
            yield self.when("60-300 minutes")
            getattr(reports, verb)(row, by=self.people[next_one])

    def of_specialist(self, login: str, period: Period) -> Life:
        by = self.people[login]
        row = reports.prepare(Kind.SPECIALIST, period, by)
        yield self.when("60-300 minutes")
        self._remark(row, by)
        yield self.when("1-1 days")
        reports.submit(row, by=by, remark="")
        yield self.when("60-300 minutes")
        reports.receive(row, by=self.people["manager"])

    def _remark(self, row: Report, by: User) -> None:
        """On two of the customers in their care."""
        mine = reports.as_now(row)["customers"]
        for one in self.dice.sample(mine, min(2, len(mine))):
            reports.remark(row, by=by, customer=one["number"], words=self.dice.choice(USED))

    def friday(self, week: Period) -> Life:
        row = reports.prepare(Kind.FRIDAY, week)
        yield self.when("60-200 minutes")
        reports.submit(row, by=self.people["manager"], remark="")
        yield self.when("1-1 days")
        reports.receive(row, by=self.people["director"])
