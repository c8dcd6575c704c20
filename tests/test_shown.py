"""How values look in pages."""

import pytest

from crm import shown
from crm.db import unit_of_work
from tests import make


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("0514-05090570", "051405090570"), ("(0514) 8888 转 23", "05148888"), ("（0514）8888", "05148888"),
        ("13912345678/13900000000", "13912345678"), ("+86 139 1234 5678", "+8613912345678"), ("无", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_telephone_is_given_what_it_can_dial(written, dialled):
    assert shown.dialled(written) == dialled


def test_one_tap_on_a_number_dials_it(app, browser):
    with unit_of_work():
        unit = make.customer()
        make.contact(unit, mobile="139 1234 5678", phone="问前台")
    page = browser("specialist").get(unit.path).text
    assert 'href="tel:13912345678">139 1234 5678</a>' in page
    assert "<span>问前台</span>" in page, "what is no number is no link"
