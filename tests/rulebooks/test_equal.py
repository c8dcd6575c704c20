"""A trial says exactly what really running the draft would have given."""

import shutil
from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import text as sql

from crm import clock, create_app, sweep
from crm.db import db, unit_of_work
from crm.duties import reading
from crm.rulebooks.memory import Replay
from crm.rulebooks.refusals import prove
from crm.rulebooks.trial import Tally, Trial, Why
from tests.models import settings
from tests.rulebooks import lives
from tests.shares import ALL

EXAMPLES = how(max_examples=60 if ALL else 4, deadline=None, derandomize=not ALL,
               suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
SEEDS = st.integers(0, 10**6)
LENGTH = 110


@pytest.fixture
def department(models, tmp_path):
    """`department()`: the program on a fresh department of its own."""
    made, numbers = [], count()

    def new():
        folder = tmp_path / f"d{next(numbers)}"
        folder.mkdir()
        shutil.copy(models.of("sqlite", None)[0], folder / "crm.db")
        made.append(create_app(settings(f"sqlite:///{folder}/crm.db", folder)))
        return made[-1]

    yield new
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def lived(app, text: str, steps: list, only=None) -> tuple[lives.Told, Counter]:
    """A story told in a department under a rulebook, and what was missed by its end."""
    with app.app_context(), clock.frozen(lives.make.MONDAY):
        lives.under(text)
        lives.begin()
        told = lives.live(steps, only)
        with clock.frozen(lives.end_of(steps)):
            sweep.breach_overdue(clock.now())
        return told, lives.fallen(told)


def tried(app, text: str, steps: list, told: lives.Told) -> tuple[Counter, Counter, set, Tally]:
    """What the trial of a draft says was missed by the rules of the day, and under the draft; of which subjects that would have
    refused something; and the sums."""
    with app.app_context(), clock.frozen(lives.end_of(steps)), unit_of_work(read_only=True):
        trial, tally = Trial.of(text, lives.make.MONDAY, clock.now()), Tally()
        trial.go_on(0, 10_000, clock.now(), tally)
        stories, _last = trial.archive.stories(0, 10_000, trial.until, clock.now())
        prove(stories, trial.book, trial.held.books)
        known = [story for story in stories if not story.unknown]
        held, draft = ([Replay(side, story).run(clock.now()) for story in known] for side in (trial.held, trial.draft))
        refused = {told.name(replay.story.id) for replay in draft if replay.refused}
        return *(_fell(side, told) for side in (held, draft)), refused, tally


def _fell(replays: list[Replay], told: lives.Told) -> Counter:
    missed = [one for replay in replays for one in replay.missed if not one.rule.startswith("rulebook.")]
    return Counter((one.rule, told.name(one.subject_id), one.breached_owner_id, one.due_at, one.fine_clause, one.fine_fen) for one in missed)


def went_on(here: lives.Told, there: lives.Told) -> set:
    """The subjects to which something happened here after what was refused there, or there and not here: their stories differ
    from then on."""
    found = set()
    for place, ids in there.taken.items():
        found |= {there.name(id) for id in ids} - {here.name(id) for id in here.taken[place]}
    for place in here.taken.keys() - there.taken.keys():
        later = set().union(*(ids for step, ids in here.taken.items() if step > place), set())
        found |= {here.name(id) for id in here.taken[place] & later}
    return found


@pytest.mark.takes_long
@EXAMPLES
@given(SEEDS, SEEDS, st.booleans())
def test_a_trial_of_a_draft_is_what_really_running_it_gives(department, seed, other, fields):
    """The same verbs in a fresh department whose rulebook is the draft: the same missed deadlines, whose, when, at which price."""
    steps, text = lives.script(seed, LENGTH), reading.shipped()
    draft = lives.draft(other, text, fields=fields)
    here, there = department(), department()
    told, fell = lived(here, text, steps)
    held, said, refused, tally = tried(here, draft, steps, told)
    again, really = lived(there, draft, steps, only=told.taken)
    assert held == fell and not tally.why, "the replay by the rules of the day gives what was recorded"
    apart = went_on(told, again)
    assert {key: n for key, n in said.items() if key[1] not in apart} == {key: n for key, n in really.items() if key[1] not in apart}


@pytest.mark.takes_long
@EXAMPLES
@given(SEEDS, SEEDS)
def test_of_events_that_do_not_tell_what_was_known_it_is_worked_out_or_they_are_left_out(department, seed, other):
    """As an older program left them: what is told of them all the same is what is told of those that do."""
    steps, text = lives.script(seed, LENGTH), reading.shipped()
    draft, here = lives.draft(other, text, fields=True), department()
    told, _fell = lived(here, text, steps)
    _held, said, _refused, _tally = tried(here, draft, steps, told)
    with here.app_context(), unit_of_work():
        db.session.execute(sql("DROP TRIGGER events_no_update"))
        db.session.execute(sql("UPDATE events SET known = NULL, facts = json_remove(facts, '$.has')"))
    _held, without, _refused, tally = tried(here, draft, steps, told)
    assert not without - said and tally.why.keys() <= {Why.UNKNOWN}
    of_tickets = [key for key in said - without if key[0].startswith("ticket.")]
    assert len(of_tickets) <= 2, "a record's story can be worked out"
