"""The list of contracts."""

from crm import lists
from crm.contracts import queries, sums
from crm.contracts.models import Kind
from crm.contracts.steps import standing
from crm.labels import N_
from crm.lists import Column
from crm.permissions import Permission


def amount(row, _page: lists.Page) -> float | None:
    return None if row.amount_fen is None else row.amount_fen / 100


def to_pay(row, page: lists.Page) -> float:
    """In yuan, as a sheet takes it."""
    return sums.open_fen(row, page.beside["paid"].get(row.id, 0)) / 100


TABLE = lists.Table(
    "contracts", N_("Contracts"), "/contracts", Permission.CONTRACT_READ, queries.Filter, queries.listing,
    (
        Column("number", N_("Number"), lists.plain("number")),
        Column("state", N_("State"), lambda row, _page: standing(row)),
        Column("title", N_("What the contract is for"), lists.plain("title")),
        Column("customer", N_("Customer"), lists.title("customer_id")),
        Column("kind", N_("Kind"), lists.label(Kind, "category"), shown=False),
        Column("owner", N_("Specialist"), lists.title("owner_id")),
        Column("starts", N_("First day"), lists.plain("starts_on"), shown=False),
        Column("ends", N_("Last day"), lists.plain("ends_on")),
        Column("amount", N_("Amount"), amount, right=True),
        Column("open", N_("To be paid"), to_pay, right=True),
        Column("due", N_("Payment due on"), lists.plain("payment_due_on"), shown=False),
        Column("paper_number", N_("Number on the paper"), lists.plain("paper_number"), shown=False),
        Column("salesperson", N_("Salesperson"), lists.plain("salesperson"), shown=False),
        Column("drafted", N_("Drafted"), lists.plain("opened_at"), shown=False),
    ),
    queries.ids,
)  # fmt: skip
