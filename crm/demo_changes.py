"""The demo department's change requests: one at each step, among them a failed test and a date that was moved."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from crm import clock
from crm.changes import workflow as changes
from crm.changes.models import FORM, ChangeRequest
from crm.customers.models import Customer
from crm.db import db
from crm.files import workflow as files
from crm.papers import workflow as papers
from crm.serials.models import Installation
from crm.staff.models import User
from crm.tickets import workflow as tickets

Life = Iterator[datetime]
# when it begins (days ago, or a named day), kind, in one line, what is wanted, what was agreed, how far
WISHES = (
    (46, "program_change", "费用表按部门汇总", "部门费用表要按部门汇总，现在只能按科目看。", "增加按部门汇总，打印格式不变。", 9),
    (16, "bug", "跨年凭证打印少一行", "跨年打印凭证时最后一行打不出来。", "重现后修正打印取数。", 7),
    (8, "program_change", "入库单加批号列", "入库单上要能看到批号。", "单据和打印模板各加一列批号。", 4),
    ("earlier 10:20", "program_change", "工资条加密码打开", "工资条导出后要密码才能打开。", "导出时设密码，密码由客户保管。", 2),
    ("before 10:40", "bug", "结账提示乱码", "月末结账弹出的提示是乱码。", "改提示的编码。", 1),
    ("last 15:10", "program_change", "应收账龄加九十天一档", "账龄表要分到九十天。", "", 0),
)
OPINIONS = (("改得好，省了不少事。", 5), ("能用，就是慢一点。", 4), ("和当初说的一样。", 5), ("来得晚了些。", 3))


class Changes:
    """What customers want changed in the software (5.4)."""

    texts: dict[str, Any]
    people: dict[str, User]
    units: dict[str, Any]
    dice: Random
    days: Any
    today: Any
    now: datetime
    begin: Any
    when: Any
    morning: Any
    owner: Any

    def plan_changes(self) -> None:
        for begins, *wish in WISHES:
            named = isinstance(begins, str)
            at = self.when(begins) if named else self.morning(self.days.next(self.today - timedelta(days=begins)))
            self.begin(at, self.change(*wish), Random(f"{self.today} change {begins}"))

    def wished(self, case: Any, verb: str) -> dict[str, str]:
        """What a record is filled in with; before it is complete, the change request it needs is opened (5.1.4.4)."""
        ticket, fields = case.ticket, case.fields
        if verb == "complete" and any(gap.field.kind == "subject" for gap in tickets.gaps(ticket)):
            customer = db.session.get_one(Customer, ticket.customer_id)
            row = changes.open_change(
                by=self.owner(ticket), customer=customer, category=ticket.category, title=ticket.title, origin=ticket,
                installation=db.session.get(Installation, ticket.installation_id) if ticket.installation_id else None,
                requirement=fields.get("requirement") or "、".join(fields.values()),
            )  # fmt: skip
            self.begin(clock.now(), self.of_record(row, fields.get("agreed", "重现后修正。")), Random(row.number))
        return fields

    def change(self, kind: str, title: str, requirement: str, agreed: str, far: int) -> Life:
        """One of the wishes that are shown, as far as it has come."""
        unit = self.dice.choice([one for one in self.units.values() if one.systems])
        row = changes.open_change(
            by=self.owner(unit.customer), customer=unit.customer, category=kind, title=title, requirement=requirement,
            installation=unit.systems[0][0],
        )  # fmt: skip
        over = far == 9
        day = self.days.add_days(clock.today(), 10) if over else self.days.add_days(self.days.next(self.today), far)
        near = {2: ("before 11:00", "now -1"), 1: ("now -2",)}  # those of the last days
        steps = self.steps(row, agreed, day)
        for (when, act), now in zip(steps[:far], near.get(far, [""] * far), strict=True):
            yield self.when(now or when)
            act()
        if over:
            yield self.when("2-3 days")
            changes.close(row, by=self.owner(row), said="比原来好找，打印也对。", mark=5)

    def of_record(self, row: ChangeRequest, agreed: str) -> Life:
        """One that a record needed: mostly built as it was agreed, at once."""
        day = self.days.add_days(clock.today(), 10)
        [submit, approve, tell, take, deliver, *again, bring] = self.steps(row, agreed, day)
        fails = self.dice.random() < 0.3
        for when, act in (submit, approve, tell, take, deliver, *(again if fails else ()), bring):
            yield self.when(when)
            act()
        yield self.when("2-3 days")
        said, mark = self.dice.choice(OPINIONS)
        changes.close(row, by=self.owner(row), said=said, mark=mark)

    def steps(self, row: ChangeRequest, agreed: str, day: date) -> list[tuple[str, Callable[[], None]]]:
        """From the customer's form to their new program: when after the one before, and what is done."""
        by, manager, developer = self.owner(row), self.people["manager"], self.people["developer"]
        later, built = self.days.add_days(day, 5), {"changed": "改了取数和打印模板。", "how_to_test": "用上月数据各打一张。"}
        again = {"changed": "补上历史数据的取数。", "how_to_test": "选上月再打一张。"}
        moved = {"reason": "历史数据要另外处理。", "told": "已告诉客户推迟一周，客户同意。"}
        return [
            ("1-2 days", lambda: self.submit(row, by, agreed)),
            ("60-300 minutes", lambda: changes.approve(row, by=manager, opinion="可以改，不影响其他报表。", expected_on=day)),
            ("30-90 minutes", lambda: changes.tell(row, by=by, words=f"已电话告知会计，预计 {day:%m-%d} 完成。")),
            ("1-1 days", lambda: changes.take(row, by=developer)),
            ("3-4 days", lambda: changes.deliver(row, by=developer, **built)),
            ("60-200 minutes", lambda: changes.fail(row, by=by, words="本月正确，上月仍少一行。")),
            ("20-60 minutes", lambda: changes.postpone(row, by=manager, expected_on=later, **moved)),
            ("2-3 days", lambda: changes.deliver(row, by=developer, **again)),
            ("60-200 minutes", lambda: self.bring(row, by)),
        ]

    def submit(self, row: ChangeRequest, by: User, agreed: str) -> None:
        scans = []
        if row.category == "program_change":
            scans = [files.draft("程序修改申请.png", b64decode(self.texts["scan"]["png"]) + row.number.encode(), by, FORM)]
            db.session.add_all(scans)
            db.session.flush()
        changes.submit(row, by=by, agreed=agreed, files=[one.key for one in scans])
        if scans and clock.now() < self.now - timedelta(days=3):  # the last ones are still expected
            self.begin(clock.now(), self.file_form(row, by), Random(row.number))

    def file_form(self, row: ChangeRequest, by: User) -> Life:
        """Its paper: in the archive a day or two later (5.7.4)."""
        paper, archivist = papers.enter(row, "change_request", by=by), self.people["archivist"]
        yield self.when("1-2 days")
        papers.offer(paper, by=by, to=archivist)
        yield self.when("60-240 minutes")
        papers.archive(paper, by=archivist, place=f"{clock.today():%Y}年程序修改卷")

    def bring(self, row: ChangeRequest, by: User) -> None:
        changes.passes(row, by=by, words="上月、本月各打一张，都对。")
        changes.update(row, by=by, updated_on=clock.today(), words="远程更新，会计当场打印确认。")
