"""How long a sweep takes, in the process itself as the worker calls it: with nothing due, and with a thousand due."""

import statistics
import time

from sqlalchemy import text

from bench.places import Place
from crm import sweep
from crm.db import db, unit_of_work

DUE = 1000
MISSED = text(
    "INSERT INTO duties (rule, slot, edition_id, clause, subject_id, owner_id, show_from, warn_at, due_at, ruled_due_at, "
    "opened_by_id) SELECT 'ticket.tell_customer', 'bench', s.edition_id, 'D5', s.id, s.owner_id, s.opened_at, s.opened_at, "
    "s.opened_at, s.opened_at, (SELECT min(e.id) FROM events e WHERE e.subject_id = s.id) FROM subjects s "
    f"WHERE s.kind = 'ticket' AND s.state = 'complete' AND s.id % 7 = :turn ORDER BY s.id LIMIT {DUE}"
)
OVER = text("UPDATE duties SET dropped_by_id = breached_by_id, slot = slot || breached_by_id WHERE slot = 'bench'")


def _once() -> float:
    began = time.perf_counter()
    sweep.tick()
    return (time.perf_counter() - began) * 1000


def ticks(place: Place) -> dict[str, float]:
    """Milliseconds; what was missed for it is dropped again, so that it does not stand on anybody's Today."""
    with place.app() as app, app.app_context():
        _once()  # what fell due since it was filled, and today's anchor
        idle = statistics.median(_once() for _ in range(5))
        with unit_of_work():
            db.session.execute(MISSED, {"turn": int(time.time()) % 7})
        due = _once()
        with unit_of_work():
            db.session.execute(OVER)
    return {"idle": idle, "due": due}
