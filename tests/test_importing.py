"""What all imports share: results that add up, items that harm no other, one import at a time and nobody else held up."""

import threading

import pytest
from flask_babel import force_locale, gettext
from sqlalchemy import select

from crm import clock
from crm.contracts import importing as contracts
from crm.customers import importing as customers
from crm.customers.models import Customer
from crm.db import db, next_number, unit_of_work
from crm.desk.tables import TABLES
from crm.errors import Invalid
from crm.importing import Result, refusal, saved, taking
from crm.serials import importing as serials
from crm.sheets.columns import folded


def test_results_add_up():
    total = Result(1, 2, 3, [])
    total += Result(1, 1, 1, [(5, Invalid("no"))])
    assert str(total) == "created 2, updated 3, unchanged 4, refused 1" and total.taken == 9


def bring(*numbers: int) -> tuple[Result, list[list[int]]]:
    """Items of which each multiple of ten is bad; what came of them, and how they were tried together."""
    tries: list[list[int]] = []

    def do(some) -> Result:
        tries.append(list(some))
        for number in some:
            if number % 10 == 0:
                raise ValueError(f"{number}\nand more")
            db.session.add(Customer(number=f"X{number}", title="", full_name="", opened_at=clock.now()))
        return Result(created=len(some))

    total = Result()
    with unit_of_work():
        for part in saved(numbers, do, lambda number, why: Result(refused=[(number, refusal(why))])):
            total += part
    return total, tries


def test_good_items_are_done_at_once(app):
    assert bring(1, 2, 3)[1] == [[1, 2, 3]]
    assert bring()[0] == Result()


def test_a_bad_item_is_left_out_alone_with_its_reason(app):
    total, tries = bring(*range(1, 16))
    assert (total.created, [(number, why.params) for number, why in total.refused]) == (14, [(10, {"why": "10"})])
    assert len(tries) < 10
    found = db.session.scalars(select(Customer.number).order_by(Customer.id)).all()
    assert found == [f"X{number}" for number in range(1, 16) if number != 10]


def test_what_is_not_an_items_fault_ends_the_import(app):
    def do(_some) -> Result:
        raise OSError("the disk is full")

    with pytest.raises(OSError), unit_of_work():
        list(saved([1, 2], do, lambda number, why: Result()))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # on SQLite whoever writes is alone anyway
def test_whoever_imports_takes_no_number_from_those_who_work(app):
    given: list[str] = []

    def add() -> None:
        with app.app_context(), unit_of_work():
            given.append(next_number("K"))

    other = threading.Thread(target=add)
    with unit_of_work(), taking():
        other.start()
        other.join(5)
        assert given == ["K0001"]
    other.join()


NOT_TAKEN = {  # what a list shows that no list brings in
    "contracts": {"number", "state", "owner", "open", "drafted"}, "serials": {"used"}, "customers": {"number", "service"},
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh_Hans_CN", "en"])
@pytest.mark.parametrize(("key", "kind"), [("contracts", contracts), ("serials", serials), ("customers", customers)])
def test_an_import_knows_the_headings_of_the_program_s_own_lists(app, key, kind, language):
    with app.test_request_context(), force_locale(language):
        heads = {column.key: gettext(column.label) for column in TABLES[key].columns if column.key not in NOT_TAKEN[key]}
    known = kind.KIND.plan.COLUMNS.words
    assert [head for head in heads.values() if folded(head) not in known] == []
