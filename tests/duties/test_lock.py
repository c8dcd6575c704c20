"""Two at once on one subject: who waits for the lock sees, and says to the search, what the other wrote meanwhile."""

import threading
import time

import pytest
from sqlalchemy import select

from crm.customers import workflow as customers
from crm.customers.models import Contact, Customer, CustomerEvent
from crm.db import db, unit_of_work
from crm.desk.search import find
from crm.duties import locks
from crm.duties.models import Subject
from crm.duties.record import record
from crm.moves import edit
from crm.tickets import workflow
from crm.tickets.models import Ticket, TicketEvent
from tests import make

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # on SQLite writers queue from the start


def meanwhile(app, act) -> threading.Thread:
    """Another does `act` and commits a little later, when somebody waits for it already."""
    acted = threading.Event()

    def run() -> None:
        with app.app_context():
            try:
                with unit_of_work():
                    act()
                    acted.set()
                    time.sleep(0.5)
            finally:
                acted.set()
                db.session.remove()

    other = threading.Thread(target=run)
    other.start()
    acted.wait()
    return other


def found(words: str) -> int:
    db.session.rollback()
    hits = find(make.who("manager"), words)
    return len(hits.first) + len(hits.newest)


def test_a_note_leaves_the_words_of_an_edit_at_the_same_time_in_the_search(served, app):
    with unit_of_work():
        make.ticket(title="打印机脱机")

    def change() -> None:
        ticket = db.session.query(Ticket).one()
        edit(ticket, {"title": "凭证断号", "description": "年初余额对不上"})
        record(TicketEvent.EDITED, ticket, by=make.who("manager"))

    with unit_of_work():
        mine = db.session.query(Ticket).one()
        assert (mine.title, mine.description) == ("打印机脱机", "")
        other = meanwhile(served, change)
        workflow.note(mine, by=make.who("specialist"), words="客户明天回电")
        assert (mine.title, mine.description) == ("凭证断号", "年初余额对不上")
    other.join()
    assert [found(words) for words in ("断号", "余额对不上", "回电", "脱机")] == [1, 1, 1, 0]


def test_a_contact_edited_leaves_what_was_changed_of_the_customer_and_of_another_contact(served, app):
    with unit_of_work():
        unit = make.customer()
        for name in ("王会计", "李出纳"):
            make.contact(unit, name=name)

    def change() -> None:
        unit, first = db.session.query(Customer).one(), db.session.query(Contact).order_by(Contact.id).first()
        edit(unit, {"title": "远大重工"})
        record(CustomerEvent.EDITED, unit, by=make.who("manager"))
        customers.edit_contact(first, by=make.who("manager"), name="赵主管")

    with unit_of_work():
        assert db.session.query(Customer).one().title == "宏远机械"
        first, second = db.session.query(Contact).order_by(Contact.id)
        other = meanwhile(served, change)
        customers.edit_contact(second, by=make.who("specialist"), name="钱出纳")
    other.join()
    assert [bool(found(name)) for name in ("远大重工", "赵主管", "钱出纳", "王会计", "李出纳")] == [True, True, True, False, False]


def several(ids: list[int]) -> None:
    locks.lock_each(*[db.session.get_one(Ticket, id) for id in ids])


def test_who_holds_several_takes_the_later_one_first(app, subtests):
    for take in (several, lambda ids: locks.lock_all(Subject.id.in_(ids))):
        with subtests.test():
            the_later_one_is_first(app, take)


def the_later_one_is_first(app, take) -> None:
    with unit_of_work():
        ids = [make.ticket(title=f"第{i}条").id for i in range(3)]
    taken: list[int] = []

    def other() -> None:
        with app.app_context(), unit_of_work():
            take(ids)

    with unit_of_work():
        locks.lock(db.session.get_one(Ticket, ids[1]))  # the other waits here
        waiting = threading.Thread(target=other)
        waiting.start()
        time.sleep(0.5)
        with db.engine.connect() as third:
            for id in ids:
                free = select(Subject.id).where(Subject.id == id).with_for_update(skip_locked=True)
                taken += [] if third.scalar(free) else [id]
    waiting.join()
    assert taken == ids[1:], "the first is still free"
