"""How a deadline stands now."""

from dataclasses import dataclass
from datetime import datetime

from crm import clock


class Pressing:
    """Said of a duty, or of its times alone."""

    open = True

    @property
    def overdue(self) -> bool:
        return self.open and (self.breached_by_id is not None or (self.due_at < clock.now() and not self.held_by_id))

    @property
    def soon(self) -> bool:
        return self.open and not self.overdue and self.warn_at <= clock.now()


@dataclass(frozen=True, slots=True)
class Deadline(Pressing):
    """The times of an open duty, where a list needs no more of it."""

    due_at: datetime
    warn_at: datetime
    breached_by_id: int | None
    held_by_id: int | None
