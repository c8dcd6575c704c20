"""The demo department's opinions of customers: through the year, and those that wait today."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from crm import clock
from crm.callbacks import workflow as callbacks
from crm.duties import queries as duties
from crm.opinions import workflow as opinions
from crm.opinions.models import Opinion
from crm.staff.models import User

Life = Iterator[datetime]
# days ago, or a named day; kind, how it came, in one line, in the customer's words, what they were answered
SAID = (
    (200, "praise", "call", "李工耐心", "升级那天李工一直陪到下班，我们很满意。", "谢谢夸奖，已转告本人。"),
    (160, "suggestion", "letter", "希望出操作视频", "新来的会计多，能不能把月末结账录成视频？", "已录好三段，链接发到群里了。"),
    (120, "letter", "letter", "感谢信", "年报期间服务及时，特此致谢。", "已回信致谢。"),
    (75, "suggestion", "callback", "回电再快一点", "QQ上问了半小时才有人回。", "午休时间加排一人值守。"),
    (30, "praise", "visit", "上门服务细致", "把每个科室都走了一遍，问题都记下来了。", "谢谢，已转告。"),
    ("before 10:20", "suggestion", "call", "发票最好电子版", "纸质发票总是晚到，电子的行不行？", ""),
)
# the same; what about, whose, in one line, in the customer's words, what is said to it, what was found, how far it has come
COMPLAINTS = (
    (220, "delay", "specialist2", "约好周三没来", "约好周三上午，下午才说改天。", "当天另一家服务器宕机。", "属实。", 4),
    (95, "attitude", "specialist2", "电话里不耐烦", "问第二遍就说“刚才不是讲过了吗”。", "承认语气不好。", "听过录音，属实。", 4),
    (50, "quality", "specialist", "报表改了又错", "改完第二个月又不平。", "客户改了期初数。", "日志里有客户的改动。", 5),
    ("earlier 10:10", "attitude", "specialist", "挂电话", "话没说完就把电话挂了。", "当时信号断了，马上回拨过。", "", 2),
    ("last 11:20", "quality", "", "安装完没教", "装完就走了，没人教怎么用。", "", "", 0),
)


class Opinions:
    """What customers think of the department, and what becomes of it (4.manager.3)."""

    people: dict[str, User]
    units: dict[str, Any]
    dice: Random
    days: Any
    today: Any
    begin: Any
    when: Any
    morning: Any

    def plan_opinions(self) -> None:
        for ago, *said in SAID:
            self.begin(self._day(ago), self.opinion(*said), Random(f"{self.today} opinion {ago}"))
        for ago, *said in COMPLAINTS:
            self.begin(self._day(ago), self.complaint(*said), Random(f"{self.today} complaint {ago}"))

    def _day(self, ago: int | str) -> datetime:
        return self.when(ago) if isinstance(ago, str) else self.morning(self.days.next(self.today - timedelta(days=ago)))

    def _take_in(self, **said: Any) -> Opinion:
        unit = self.dice.choice([one for one in self.units.values() if one.systems])
        by, of = self.people["followup"], unit.systems[0][0] if said["category"] == "suggestion" else None
        return opinions.take_in(
            by=by, customer=unit.customer, contact=unit.contacts[0], said_on=clock.today(), installation=of, **said
        )  # fmt: skip

    def opinion(self, category: str, way: str, title: str, said: str, answer: str) -> Life:
        row = self._take_in(category=category, way=way, title=title, said=said)
        if answer:
            yield self.when("1-2 days")
            opinions.answer(row, by=self.people["followup"], answer=answer)
            yield self.when("60-200 minutes")
            self.call_about(row)

    def complaint(self, about: str, whose: str, title: str, said: str, heard: str, found: str, far: int) -> Life:
        """Investigated by the manager, as far as it has come; the last step but one says whether it is so."""
        row = self._take_in(category="complaint", way="call", title=title, said=said, about=about, against=self.people.get(whose))
        manager, so = self.people["manager"], far < 5
        steps = (
            lambda: opinions.investigate(row, by=manager),
            lambda: opinions.hear(row, by=manager, words=heard),
            lambda: (opinions.confirm if so else opinions.dismiss)(row, by=manager, findings=found),
            lambda: opinions.answer(row, by=manager, answer="已向客户说明并致歉。" if so else "已向客户说明原因。"),
        )
        for act in steps[:far]:
            yield self.when("100-300 minutes")
            act()
        if far >= 4:
            yield self.when("1-1 days")
            self.call_about(row)

    def call_about(self, row: Opinion) -> None:
        """Follow-up calls on the outcome (4.followup.2)."""
        by = self.people["followup"]
        [owed] = [one for one in duties.of_subject(row) if one.rule == "call.opinion" and one.open]
        contacts = next(unit.contacts for unit in self.units.values() if unit.customer.id == row.customer_id)
        said = {"contact": contacts[0], "department": contacts[0].department, "comment": "对答复满意。"}
        callbacks.reach(callbacks.begin(owed, by=by), by=by, **said)
