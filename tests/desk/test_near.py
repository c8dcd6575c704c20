"""How near what is owed stands on Today, and how the rulebook's page tells what the program watches."""

import re
from datetime import timedelta
from types import SimpleNamespace

from crm import clock
from crm.desk import today
from crm.desk.today import Group, group_of
from crm.duties.models import Duty


def test_what_is_due_tomorrow_is_near_on_a_sunday_too(app):
    with clock.frozen(clock.parse("2026-11-29T10:00")):
        made = Duty(due_at=clock.parse("2026-11-30T18:00"), warn_at=clock.parse("2026-11-30T16:00"))
        far = Duty(due_at=clock.parse("2026-12-07T18:00"), warn_at=clock.parse("2026-12-07T16:00"))
        assert (group_of(made), group_of(far)) == (Group.WEEK, Group.LATER)


def test_the_rulebook_says_which_clauses_people_keep_by_themselves_and_confirms_below_the_defaults(browser):
    page = browser("director").get("/rulebook").text
    clauses = dict(re.findall(r'id="c-([^"]+)">\s*<h3>(.*?)</h3>', page, re.S))
    assert "kept by people" in clauses["3.9"] and "kept by people" not in clauses["5.1.3"] + clauses["7.5"] + clauses["5.3.3"]
    assert page.index('id="ours"') < page.index('id="confirm"') < page.index('id="carried"')


def test_of_what_is_ones_own_the_nearest_comes_first_whatever_its_button_does(app):
    def row(name: str, days: int, *, mine: bool) -> SimpleNamespace:
        return SimpleNamespace(name=name, mine=mine, duty=SimpleNamespace(overdue=False, due_at=clock.now() + timedelta(days=days)))

    rows = [row("opens only", 2, mine=True), row("another's", 3, mine=False), row("is settled here", 4, mine=True)]
    assert [one.name for one in today.groups(rows)[Group.WEEK]] == ["opens only", "is settled here", "another's"]
