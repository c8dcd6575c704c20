"""Two complaints about one person, confirmed at the same moment: one is the first ever."""

from collections import Counter

import pytest

from crm.db import db, unit_of_work
from crm.opinions import workflow
from crm.opinions.models import Opinion
from tests import make
from tests.browsing import together
from tests.shares import DATABASES


@pytest.mark.parametrize("database", DATABASES, indirect=False)
def test_of_several_confirmed_at_once_one_is_the_first_ever(served, database):
    with served.app_context(), unit_of_work():
        rows = [make.complaint(upto="heard").id for _ in range(6)]

    def confirm(i: int) -> list[str]:
        with served.app_context():
            try:
                with unit_of_work():
                    row = db.session.get_one(Opinion, rows[i])
                    workflow.confirm(row, by=make.who("manager"), findings="属实")
                    return list(row.follows)
            finally:
                db.session.remove()

    led = Counter(key for found in together(len(rows), confirm) for key in found)
    assert led["7.1.first"] == 1 and led["7.1.later"] == len(rows) - 1 and led["7.2"] == len(rows) - 2
