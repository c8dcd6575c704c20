"""Every state × verb × role of every table of moves: taken where the table says, refused elsewhere with nothing changed."""

import uuid

import pytest

from crm.db import db, unit_of_work
from crm.duties import editions
from crm.duties.models import Duty, Subject
from tests import make
from tests.browsing import Browser
from tests.nets import rows, values
from tests.nets.state import changed, digest, status
from tests.nets.ways import (
    BESIDES,
    BY_HAND,
    KINDS,
    OWN,
    PUT,
    STILL,
    end_of,
    other,
    signing,
    taker,
)
from tests.shares import ALL, LARGE

CASES = [(kind, str(state)) for kind in KINDS for state in kind.STATES]


def expected(kind, verb: str, move, user, row, owed: set[str]) -> int:
    """The one status a verb by somebody from this state is answered with."""
    name = kind.__mapper__.polymorphic_identity
    here = db.session.query(Subject.id).filter(Subject.id == row.id, kind.visible(user))
    if user.may(move.permission) and here.first() is None:
        return 404
    if not move.may(user, row):
        return 403
    if row.state not in move.froms or {(name, verb), (name, verb, row.state)} & STILL:
        return 409
    if (name, verb, row.state) in OWN and user.id != row.owner_id:
        return 409
    besides = BESIDES.get((name, verb, row.state))
    if besides and user.login not in besides:
        return 403
    return 303 if move.due(owed) else 409


# what a table says is not the database's: on PostgreSQL all of it is walked once more by `make nets`
@pytest.fixture(params=LARGE)
def database(request) -> str:
    return request.param


def one(kind, state: str):
    if kind not in PUT:
        pytest.fail(f"{kind.__name__} has moves: say in PUT how a row of it comes into a state")
    with unit_of_work():
        row = PUT[kind](state)
    assert row.state == state
    return row, {duty.rule for duty in db.session.query(Duty).filter_by(subject_id=row.id) if duty.open}


def stuck(kind, state: str, owed: set[str]) -> set[str]:
    """The duties whose one button is not to be had in this state, nor in any that can follow."""
    follow, more = {state}, True
    while more:
        more = {str(to) for move in kind.MOVES.values() if move.froms & follow for to in move.ends} - follow
        follow |= more
    moves = {rule: kind.MOVES.get(editions.todays().rules[rule].move) for rule in owed}
    return {rule for rule, move in moves.items() if move and not move.froms & follow}


def refused_at_the_door(by, move, door: set[str]) -> bool:
    """Whose role a verb's route refuses: once for each verb here, and everybody in `make nets` and in the matrix."""
    if ALL or by.may(move.permission):
        return False
    again = move.noun in door
    door.add(move.noun)
    return again


@pytest.mark.parametrize(("kind", "state"), CASES, ids=lambda v: getattr(v, "__name__", v))
def test_every_verb_from_a_state_does_what_the_table_says(app, kind, state):
    row, owed = one(kind, state)
    assert not stuck(kind, state, owed), "owed, and no button settles it in this state: the rule drops it, or the move takes it from here"
    taken, wrong, before, door = 0, [], digest(), set()
    for role in make.CAST:
        page, by = Browser(app, role), make.who(role)
        token, before = page.token("/account"), digest()
        for verb, move in kind.MOVES.items():
            if refused_at_the_door(by, move, door):
                continue
            path, version = f"{row.path}/{move.noun}", row.version
            wanted = expected(kind, verb, move, by, row, owed)
            if wanted != 404 and move.open_to(by, row, owed) != (wanted == 303) and (row.kind, verb) not in BY_HAND:
                wrong.append((role, verb, "the button", wanted))
            fields = values.anything(path) | {"to": taker(row, verb), "representative": str(by.id), "f_told": "", "of": other(row)} | signing(row)
            files = {rows.SCANNED[row.kind][0]: values.stream(path, "")} if verb in rows.SCANS and row.kind in rows.SCANNED and wanted == 303 else {}
            sent = fields | {"csrf_token": token, "version": str(version), "request_id": uuid.uuid4().hex}
            answer = page.post(path, sent | files, multipart=bool(files))
            db.session.refresh(row)
            if status(answer) != wanted:
                wrong.append((role, verb, answer.status_code, wanted))
            elif wanted == 303:
                if row.state != end_of(row.kind, verb, move, state) or row.version <= version:
                    wrong.append((role, verb, "went to", row.state))
            elif touched := changed(before, digest()):
                wrong.append((role, verb, "changed", touched))
            if status(answer) == 303:
                taken += 1
                row, owed = one(kind, state)
                before = digest()
    assert not wrong, "\n".join(map(str, wrong))
    assert taken or not any(state in move.froms for move in kind.MOVES.values()), "no verb leads on from here"


def test_every_table_of_moves_leads_to_states_that_there_are():
    for kind in KINDS:
        states = {str(state) for state in kind.STATES}
        for verb, move in kind.MOVES.items():
            assert {str(state) for state in move.froms} <= states and move.froms, (kind, verb)
            assert {str(to) for to in move.ends} <= states and move.to != frozenset(), (kind, verb)
        assert len({move.noun for move in kind.MOVES.values()}) == len(kind.MOVES), kind
