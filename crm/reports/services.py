"""The services of a month (4.director.6): what was asked for and how it was served, by category, channel, priority and person."""

from typing import Any

from crm.duties.models import Subject
from crm.labels import N_, Priority
from crm.reports.layout import As, Column, Layout, Plot, Table
from crm.reports.periods import Period
from crm.reports.served import RECORDS, VISITS, by_month, served
from crm.tickets.models import Channel
from crm.visits.models import Visit

MONTHS = 12  # of the plot
SUMS = (
    Column("records", N_("Records")), Column("complete", N_("Complete")), Column("late", N_("Complete, but late")),
    Column("lacking", N_("Ended, not complete")), Column("open", N_("Not ended")), Column("cancelled", N_("Cancelled")),
)  # fmt: skip
SPENT = Column("hours", N_("Hours from start to end"), As.HOURS)
NUMBERS = (
    Column("records", N_("Records")), Column("complete", N_("Complete")), Column("in_time", N_("Complete in time")),
    Column("late", N_("Complete, but late")), Column("lacking", N_("Ended, not complete")), Column("open", N_("Not ended")),
    Column("cancelled", N_("Cancelled")), Column("declared", N_("That must be declared")),
    Column("uncovered", N_("Outside the service period")), Column("escalated", N_("Handed up")),
    Column("reopened", N_("Reopened")), Column("reopenings", N_("Reopened: how often")), Column("reassigned", N_("Reassigned")),
    Column("reassignments", N_("Reassigned: how often")), Column("visits", N_("Visits and trips")), Column("trips", N_("Trips")),
    SPENT, Column("away", N_("Hours on visits"), As.HOURS),
)  # fmt: skip
BY_CATEGORY = Table("categories", N_("By category"), (Column("name", N_("Category"), As.CATEGORY), *SUMS, SPENT), ("records",))
BY_CHANNEL = Table(
    "channels", N_("By channel"), (Column("name", N_("Channel"), As.LABEL, Channel, N_("not said")), *SUMS, SPENT), ("records",)
)
BY_PRIORITY = Table("priorities", N_("By priority"), (Column("name", N_("Priority"), As.LABEL, Priority), *SUMS), ("records",))
LAYOUT = Layout(NUMBERS, (
    Table("months", N_("Month by month"), (Column("name", N_("Month"), As.WORDS), Column("records", N_("Records")),
                                           Column("visits", N_("Visits and trips"))), ("records", "visits"), Plot.TREND),
    BY_CATEGORY, BY_CHANNEL, BY_PRIORITY,
    Table("people", N_("By specialist"),
          (Column("name", N_("Specialist"), As.WORDS, empty=N_("Nobody")), *SUMS, SPENT, Column("visits", N_("Visits and trips")),
           Column("away", N_("Hours on visits"), As.HOURS)), ("records", "visits")),
))  # fmt: skip


def figures(period: Period, person: int | None = None) -> dict[str, Any]:
    found = served(period)
    months = by_month(
        period, MONTHS, records=("ticket", Subject.__table__.c.opened_at, RECORDS, ("since", "until")),
        visits=("visit", Visit.__table__.c.returned_at, VISITS, ("returned", "returned_until")),
    )  # fmt: skip
    return {
        **found.numbers(), "months": months, "categories": found.by("category"),
        "channels": found.by("channel", {"channel": "none"}), "priorities": found.by("priority"), "people": found.by_person(),
    }  # fmt: skip
