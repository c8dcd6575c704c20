"""The demo department's leave: two that are over, somebody who is away today, one accepted for next week, one to be decided."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from crm import clock
from crm.absences import handing
from crm.absences import workflow as absences
from crm.absences.models import Absence
from crm.staff.models import User

Life = Iterator[datetime]


class Absences:
    """Who is on leave, and who stands in (2)."""

    people: dict[str, User]
    days: Any
    today: date
    begin: Any
    when: Any
    morning: Any

    def plan_absences(self) -> None:
        first, last = self.days.previous(self.today), self.days.next(self.today - timedelta(days=133))
        week = self.days.next(self.today + timedelta(days=7 - self.today.weekday()))
        for name, at, life in (
            ("director", self._ago(140), self.planned("director", "manager", last, 3)),
            ("director ill", self._ago(45), self.ill("director")),
            ("archivist", self._ago(7), self.planned("archivist", "manager", first, 2)),
            ("specialist2", self.when("earlier 15:00"), self.coming(week)),
            ("developer", self.when("last 16:30"), self.asked(self.days.add_days(week, 5))),
        ):
            self.begin(at, life, Random(f"{self.today} leave {name}"))

    def _ago(self, count: int) -> datetime:
        return self.morning(self.days.next(self.today - timedelta(days=count)))

    def _ask(self, who: str, stands_in: str | None, starts_on: date, count: int, **said: str) -> Absence:
        last = self.days.add_days(starts_on, count - 1) if count > 1 else starts_on
        other = self.people[stands_in] if stands_in else None
        return absences.ask(by=self.people[who], starts_on=starts_on, ends_on=last, stand_in=other, **said)

    def planned(self, who: str, stands_in: str, starts_on: date, count: int) -> Life:
        """Asked for in time, accepted, begun; and ended, if it is over."""
        row = self._ask(who, stands_in, starts_on, count, category="annual", words="回老家看父母。", to_do="有急事打手机。")
        leads = self.people["director" if who == "manager" else "manager"]
        yield self.when("60-200 minutes")
        absences.approve(row, by=leads)
        yield self.when("20-90 minutes")
        absences.accept(row, by=self.people[stands_in], words="放心休假。")
        yield clock.moment(starts_on)
        absences.begin(row)
        handing.hand_all(row)
        yield clock.moment(row.ends_on + timedelta(days=1))
        absences.end(row)
        yield clock.moment(self.days.next(row.ends_on + timedelta(days=1)), time(9, 5))
        absences.come_back(row, by=self.people[who])

    def ill(self, who: str) -> Life:
        """A sick note that came the day after."""
        row = self._ask(who, None, self.days.add_days(clock.today(), -1), 1, category="sick", words="发烧，附病假条。")
        yield self.when("60-200 minutes")
        absences.approve(row, by=self.people["manager"], unforeseen=True, words="病假条已看。")

    def coming(self, starts_on: date) -> Life:
        row = self._ask("specialist2", "specialist", starts_on, 3, category="annual", words="孩子放假，全家出游。",
                        to_do="星海电子周三会来电问报表；上门申请单在左手抽屉。")  # fmt: skip
        yield self.when("before 10:30")
        absences.approve(row, by=self.people["manager"])
        yield self.when("last 09:40")
        absences.accept(row, by=self.people["specialist"])

    def asked(self, starts_on: date) -> Life:
        self._ask("developer", "manager", starts_on, 1, category="in_lieu", words="上月周末加班两天，调休一天。")
        yield from ()
