"""A made-up department's years of records as plain rows, table by table, the same for the same size.

Words follow a few thousand pairs of letters in Zipf's order; five stand in a known share of the records.
"""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from crm.search import grams_of, row_id
from crm.words import fold

COMMON, PERCENT, TENTH, RARE, FIFTY = "凭证", "结转", "折旧", "饕餮", "貔貅"  # 30 %, 1 %, 0.1 %, 0.01 %, 50 records
WORDS_SPOKEN = (
    "打开 保存 报表 科目 余额 客户端 登录 密码 升级 安装 打印 导出 导入 年度 期初 期末 数据 清理 备份 恢复 发票 税率 工资 "
    "固定 资产 权限 账套 服务器 网络 报错 无法 提示 重新 启动 审核 过账 反过账 现金 银行 对账 往来 供应商 采购 销售 库存 成本"
)
LETTERS = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民"
    "得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社"
    "义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没解问意建月公无系军很情者最立代想已通并提"
    "直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强"
)
SPANS = timedelta(days=3 * 365)
CATEGORIES = ("inquiry", "bug", "report_problem", "data_cleanup", "program_change", "install_training")
COLUMNS = {
    "subjects": "id kind number title state category priority customer_id owner_id edition_id opened_at version",
    "tickets": "id contact_id department channel service_qq asked_at answered_at description fields uncovered_reason "
    "wait_until started_at ended_at completed_at cancelled_at",
    "events": "id kind subject_id at recorded_at actor_id address via facts known",
    "seals": "seq event_id hash",
    "duties": "id rule slot edition_id clause subject_id owner_id show_from warn_at due_at ruled_due_at opened_by_id "
    "kept_by_id dropped_by_id breached_by_id breached_owner_id fine_clause fine_fen",
    "search_rows": "id subject_id kind ref name text folded",
    "search_keys": "key row_id",
    "search_grams": "rowid grams",
}
Rows = dict[str, list[tuple]]


def stamp(at: datetime | None) -> str | None:
    """As both databases read an instant in UTC."""
    return at and at.strftime("%Y-%m-%d %H:%M:%S.%f")


class Words:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        pairs = {"".join(dice.sample(LETTERS, 2)) for _ in range(4000)}
        self.known = WORDS_SPOKEN.split() + sorted(pairs)
        self.weights = list(accumulate(1 / (rank + 10) for rank in range(len(self.known))))

    def some(self, count: int) -> str:
        return "".join(self.dice.choices(self.known, cum_weights=self.weights, k=count))

    def marks(self, place: int, size: int) -> str:
        """The words whose share is known, for the `place`-th record of `size`."""
        shares = ((COMMON, 10, 3), (PERCENT, 100, 1), (TENTH, 1000, 1), (RARE, 10_000, 1), (FIFTY, size // 50, 1))
        return "，".join(word for word, every, of in shares if (place * 7 + 3) % every < of)


class Story:
    """`start` is the first free id of each table; `people`, `customers` ((id, contact) each) what is there already."""

    def __init__(self, size: int, now: datetime, edition: int, people: list[int], customers: list, start: dict) -> None:
        self.size, self.now, self.edition, self.people, self.customers = size, now, edition, people, customers
        self.next, self.dice = dict(start), random.Random(size)
        self.words, self.fresh, self.numbers = Words(self.dice), 1000 + size // 200, {}
        self.rows: Rows = {name: [] for name in COLUMNS}
        self.known: dict = {}  # of the record whose story is told

    def batches(self, each: int = 20_000) -> Iterator[Rows]:
        for place in range(self.size):
            self._record(place)
            if (place + 1) % each == 0 or place + 1 == self.size:
                yield self.rows
                self.rows = {name: [] for name in COLUMNS}

    def _id(self, table: str) -> int:
        self.next[table] += 1
        return self.next[table] - 1

    def _event(self, kind: str, subject: int, at: datetime, by: int | None, **facts) -> int:
        id, when = self._id("events"), stamp(at)
        said, known = json.dumps(facts, ensure_ascii=False), json.dumps(self.known)
        self.rows["events"].append((id, kind, subject, when, when, by, "", "page", said, known))
        self.rows["seals"].append((id, id, "0" * 64))
        return id

    def _duty(self, rule: str, clause: str, subject: int, owner: int, shown: datetime, due: datetime, opened: int,
              kept: int | None) -> None:  # fmt: skip
        breached = None
        if due < self.now and (kept is None or self.dice.random() < 0.04):
            breached = self._event("duty.breached", subject, due, None, rule=rule, slot="", clause=clause, owner=owner)
        times = (stamp(shown), stamp(shown), stamp(due), stamp(due))
        self.rows["duties"].append((self._id("duties"), rule, "", self.edition, clause, subject, owner, *times, opened,
                                    kept, None, breached, owner if breached else None, None, None))  # fmt: skip

    def _opened(self, place: int) -> datetime:
        """The last few lie in the last ten days, all others evenly in the three years before."""
        old = self.size - self.fresh
        if place < old:
            return self.now - timedelta(days=10) - SPANS * ((old - place) / old)
        return self.now - timedelta(days=10) * ((self.size - place) / self.fresh) - timedelta(minutes=5)

    def _number(self, at: datetime) -> str:
        month = f"T{at:%y%m}-"
        self.numbers[month] = self.numbers.get(month, 0) + 1
        return f"{month}{self.numbers[month]:04d}"

    def _record(self, place: int) -> None:
        dice, id, at = self.dice, self._id("subjects"), self._opened(place)
        owner = dice.choice(self.people)
        customer, contact = self.customers[int(dice.random() ** 1.5 * len(self.customers))]
        recent = place >= self.size - self.fresh
        state = dice.choices(("new", "working", "waiting", "ended", "complete"), (15, 40, 10, 15, 20))[0]
        state = state if recent or place % 2000 == 7 else "cancelled" if place % 33 == 0 else "complete"
        category, number = dice.choice(CATEGORIES), self._number(at)
        title, told = self.words.some(4), f"{self.words.some(14)}。{self.words.marks(place, self.size)}"
        self.rows["subjects"].append((id, "ticket", number, title, state, category, "normal", customer, owner,
                                      self.edition, stamp(at), 4))  # fmt: skip
        fields = {"question": self.words.some(6), "answer": self.words.some(8)}
        notes = [self.words.some(7) for _ in range(dice.choice((0, 0, 1, 2)))]
        self._history(id, at, owner, state, category, notes)
        self._ticket(id, contact, at, state, told, fields)
        self._found(id, number, "\n".join((title, told, *fields.values(), *notes)))

    def _ticket(self, id: int, contact: int, at: datetime, state: str, told: str, fields: dict) -> None:
        minute, ended, done = timedelta(minutes=1), state in ("ended", "complete"), state == "complete"
        started = state not in ("new", "cancelled")
        wait = (self.now + timedelta(days=3)).date().isoformat() if state == "waiting" else None
        self.rows["tickets"].append((
            id, contact, "财务部", "phone", "", stamp(at), stamp(at), told, json.dumps(fields, ensure_ascii=False), "", wait,
            stamp(at + minute) if started else None, stamp(at + 3 * minute) if ended else None,
            stamp(at + 4 * minute) if done else None, stamp(at + 4 * minute) if state == "cancelled" else None,
        ))  # fmt: skip

    def _history(self, id: int, at: datetime, owner: int, state: str, category: str, notes: list[str]) -> None:
        self.known = {"state": state, "category": category, "channel": "phone", "called_back": False, "owner_id": owner}
        minute, old = timedelta(minutes=1), at < self.now - timedelta(days=9)
        opened = self._event("ticket.opened", id, at, owner, coverage="in_service")
        if state not in ("new", "cancelled"):
            self._event("ticket.started", id, at + minute, owner)
        for words in notes:
            self._event("ticket.noted", id, at + minute, owner, words=words)
        due = at + timedelta(days=2) if old else self.now + timedelta(days=self.dice.uniform(-2, 8))
        due = max(due, at + 5 * minute)
        progress = ("ticket.progress", "ours.progress", id, owner, at, due, opened)
        if state in ("new", "working"):
            self._duty(*progress, None)
        if state == "waiting":
            waiting = self._event("ticket.waiting", id, at + 2 * minute, owner, reason="等对方回复")
            self._duty(*progress, waiting)
            self._duty(
                "ticket.waiting_over", "ours.waiting", id, owner, at, self.now + timedelta(days=4), waiting, None
            )
        if state in ("ended", "complete"):
            ended = self._event("ticket.ended", id, at + 3 * minute, owner)
            self._duty(*progress, ended)
            done = self._event("ticket.completed", id, at + 4 * minute, owner) if state == "complete" else None
            self._duty("ticket.complete", "5.1.3", id, owner, at, due, ended, done)
        if state == "cancelled":
            self._event("ticket.cancelled", id, at + 4 * minute, owner, reason="重复")

    def _found(self, id: int, number: str, said: str) -> None:
        text, row = f"{number}\n{said}", row_id(id)
        folded = fold(text)
        self.rows["search_rows"].append((row, id, "ticket", 0, "", text, folded))
        self.rows["search_keys"].append((fold(number).replace(" ", ""), row))
        self.rows["search_grams"].append((row, grams_of(folded)))
