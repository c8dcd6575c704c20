"""7.1 and 7.2 against a plain recount, day by day."""

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm.opinions.models import About
from crm.opinions.standing import Confirmed, follows, most_within

EDGES = (date(2024, 2, 29), date(2023, 8, 31), date(2024, 8, 29), date(2024, 8, 31), date(2025, 2, 28), date(2024, 12, 31))
DAYS = st.one_of(st.sampled_from(EDGES), st.dates(date(2023, 7, 1), date(2025, 6, 30)))
COMPLAINTS = st.lists(st.builds(Confirmed, DAYS, st.sampled_from([str(one) for one in About])), min_size=1, max_size=7)


def recount(days: list[date], day: date, months: int) -> int:
    """Each span of half a year there is, begun on any day whatever, with `day` in it: how many of the days it holds."""
    most, start = 0, day - timedelta(days=31 * months)
    while start <= day:
        end = start + relativedelta(months=months)
        if day <= end:
            most = max(most, len([one for one in days if start <= one <= end]))
        start += timedelta(days=1)
    return most


@settings(max_examples=300, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=7), st.sampled_from([1, 3, 6, 12]))
@example([date(2023, 8, 31), date(2024, 2, 29), date(2024, 1, 1)], 6)
@example([date(2024, 8, 31), date(2025, 2, 28), date(2025, 1, 1)], 6)
@example([date(2024, 2, 29), date(2024, 8, 29), date(2024, 3, 1)], 6)
def test_the_most_within_a_span_is_that_of_a_plain_recount(days, months):
    for day in days:
        assert most_within(days, day, months) == recount(days, day, months)


@settings(max_examples=300, deadline=None)
@given(COMPLAINTS)
def test_in_whatever_order_they_are_confirmed_each_follows_from_those_before_it(complaints):
    first_about_attitude = True
    for n, this in enumerate(complaints):
        found = follows(this, complaints[:n], many=3, months=6)
        wanted = []
        if this.about == "attitude":
            wanted.append("7.1.first" if first_about_attitude else "7.1.later")
            first_about_attitude = False
        if recount([one.said_on for one in complaints[: n + 1]], this.said_on, 6) >= 3:
            wanted.append("7.2")
        assert found == wanted


@settings(max_examples=100, deadline=None)
@given(COMPLAINTS)
def test_there_is_one_first_ever_and_no_more(complaints):
    led = [key for n, this in enumerate(complaints) for key in follows(this, complaints[:n], many=3, months=6)]
    about = [one for one in complaints if one.about == "attitude"]
    assert led.count("7.1.first") == min(1, len(about)) and led.count("7.1.later") == max(0, len(about) - 1)


def test_half_a_year_ends_with_its_last_day():
    def third(day: date) -> list[str]:
        before = [Confirmed(date(2026, 1, 31), "quality"), Confirmed(date(2026, 3, 1), "delay")]
        return follows(Confirmed(day, "quality"), before, many=3, months=6)

    assert third(date(2026, 7, 31)) == ["7.2"] and third(date(2026, 8, 1)) == []


def test_the_last_of_february_after_the_last_of_august_is_within_half_a_year():
    before = [Confirmed(date(2026, 8, 31), "quality"), Confirmed(date(2026, 10, 1), "quality")]
    assert follows(Confirmed(date(2027, 2, 28), "delay"), before, many=3, months=6) == ["7.2"]
    assert follows(Confirmed(date(2027, 3, 1), "delay"), before, many=3, months=6) == []
