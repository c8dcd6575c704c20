"""What stands in the cells of a file that goes out, and how many rows a sheet may have."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crm import clock
from crm.errors import Refused
from crm.labels import N_

MOST_IN_SHEET = 100_000  # rows; a .csv has no limit
Sheet = tuple[str, list[str], Iterable[list[Any]]]  # its title, headers and rows


class TooLong(Refused):
    status = 422

    def __init__(self) -> None:
        super().__init__(
            N_("More than %(most)s rows: narrow the filters, or take the .csv file."), most=f"{MOST_IN_SHEET:,}"
        )


def plain(value: Any) -> Any:
    """Instants as the department's clock shows them; nothing as an empty cell."""
    if isinstance(value, datetime):
        return clock.local(value).replace(tzinfo=None, microsecond=0)
    return "" if value is None else value
