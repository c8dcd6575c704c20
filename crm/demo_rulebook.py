"""The demo department's rulebook in hand: a draft with three changes that was tried on the past, and what two people wrote."""

from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from typing import Any

from crm.duties.models import Edition
from crm.rulebooks import suggesting, trying
from crm.rulebooks import workflow as drafting
from crm.rulebooks.queries import last_quarter
from crm.rulebooks.text import Change
from crm.staff.models import User

Life = Iterator[datetime]
# three changes, and the words of the clause they stand on
CHANGES = (
    Change(("duty", "visit.write_up", "due"), "2 working days"),
    Change(("duty", "ticket.complete", "due"), "ended_at + 1 working day"),
    Change(("penalty", "7.5", "fen"), 6000),
    Change(("clause", "7.5", "text"), {
        "zh": "五类必需申报的远程服务，服务记录到期没填完整的，每条罚款¥60。上门和出差归7.4，两条不并罚。",
        "en": "A record of the five that must be declared, served remotely and not complete by its deadline, costs ¥60 each. "
              "Visits and trips fall under 7.4, never both.",
    }),
    Change(("clause", "7.5", "ours"), {
        "zh": "部门默认：最迟在服务结束后的下一个工作日下班前填完整。",
        "en": "By the department's default it is due by the end of the working day after the service ended.",
    }),
)  # fmt: skip
SUGGESTED = "上门回来常常已经很晚，第二天又要跑客户，一个工作日写不完记录。建议改成两个工作日。"
ANSWERED = "同意，已写进草案；先用过去的数据试算一遍再定。"
OBJECTED = "罚款从50元提到60元，希望先说明理由：逾期主要集中在月底，人手不够。"


class Rules:
    """What becomes of the rulebook."""

    people: dict[str, User]
    edition: Edition
    today: date
    begin: Any
    when: Any

    def plan_rulebook(self) -> None:
        self.begin(self.when("earlier 11:05"), self.rulebook(), Random(f"{self.today} rulebook"))

    def rulebook(self) -> Life:
        """A specialist suggests, the director takes it up and tries the draft; another objects, and waits for an answer."""
        director = self.people["director"]
        idea = suggesting.suggest(by=self.people["specialist"], category="suggestion", words=SUGGESTED, clause="5.3.6")
        yield self.when("before 10:40")
        draft = drafting.begin(by=director, title=f"{self.today.year + 1}年制度调整", base=self.edition)
        drafting.change(draft, CHANGES, by=director)
        suggesting.take_up(idea, by=director, draft=draft)
        suggesting.answer(idea, by=director, words=ANSWERED)
        yield self.when("last 09:30")
        suggesting.suggest(by=self.people["specialist2"], category="objection", words=OBJECTED, clause="7.5")
        since, until = last_quarter()
        trying.at_once(trying.ask(draft, by=director, since=since, until=until))
