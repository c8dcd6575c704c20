"""Whatever happens, in whatever order: each fen proposed is taken, pending, struck or waived; nothing twice, nothing without its
evidence; and it does not matter when was swept (7, 7.7, 7.8)."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from crm import clock
from crm.db import db, unit_of_work
from crm.duties.models import Duty, Event
from crm.errors import Refused
from crm.fund import workflow
from crm.fund.models import EntryKind, FundEntry, Month
from crm.migrating import migrate
from crm.opinions import workflow as opinions
from crm.opinions.models import Opinion
from crm.penalties.models import Penalty, PenaltyLine
from crm.sweep import tick
from tests import make
from tests.penalties.making import (
    by_hand,
    do,
    ended_implementation,
    ended_record,
    lost_application,
    returned_visit,
    somebody,
)
from tests.penalties.recount import adds_up, recount

STORIES = 6  # each on both databases; more by CRM_NETS=all
HAPPENS = (returned_visit, ended_record, lost_application, ended_implementation, lambda: make.complaint(upto="founded"), by_hand,
           lambda: by_hand("3.7.fine", fen=3300), lambda: by_hand("3.5.loss", fen=12345))  # fmt: skip
STEPS = ("issue", "sign", "refuse", "witness", "appeal", "upheld", "reduced", "struck", "waive", "withdraw")


def tried(act, *args) -> bool:
    """One unit of work; what is refused leaves nothing behind."""
    try:
        with unit_of_work():
            act(*args)
        return True
    except Refused:
        return False


def some_step(dice: Random) -> None:
    rows = db.session.query(Penalty).order_by(Penalty.id).all()
    db.session.rollback()
    if rows:
        tried(do, dice.choice(STEPS), dice.choice(rows))


def review(dice: Random) -> None:
    """A decision on a complaint is taken up again, and perhaps decided anew."""
    rows = db.session.query(Opinion).filter(Opinion.confirmed_at.is_not(None)).order_by(Opinion.id).all()
    db.session.rollback()
    if rows:
        row = dice.choice(rows)
        tried(lambda: opinions.review(row, by=make.who("manager"), reason="再查"))
        if dice.random() < 0.5:
            tried(lambda: opinions.confirm(row, by=make.who("manager"), findings="属实"))


def close_next() -> None:
    month = db.session.query(Month).filter_by(state="open").order_by(Month.month).first()
    db.session.rollback()
    if month:
        tried(lambda: workflow.close(month, by=make.who("director")))


def holds_true() -> None:
    """What must be true at every moment."""
    sums = recount()
    assert adds_up(sums), sums
    rows = db.session.query(Penalty).all()
    assert len({row.external_ref for row in rows if row.external_ref}) == sum(bool(row.external_ref) for row in rows)
    assert len({row.duty_id for row in rows if row.duty_id}) == sum(bool(row.duty_id) for row in rows)
    for row in rows:
        told = row.evidence
        assert told["edition"] and (row.entered_by_id and row.facts_said or told["events"])
        assert db.session.query(Event).filter(Event.id.in_(told.get("events", []))).count() == len(told.get("events", []))
        if row.duty_id:
            duty = db.session.get_one(Duty, row.duty_id)
            assert (row.fen, row.concerned_id, row.category) == (duty.fine_fen, duty.breached_owner_id, duty.fine_clause)
    fines = select(func.sum(PenaltyLine.fen)).join(Penalty, Penalty.id == PenaltyLine.penalty_id)
    into = db.session.scalar(select(func.sum(FundEntry.fen)).where(FundEntry.kind == EntryKind.MONTH)) or 0
    assert into == (db.session.scalar(fines.where(Penalty.sanction == "fine")) or 0), "the fund is what was deducted in fines"
    db.session.rollback()


def story(seed: int, sweeps: float) -> None:
    """Two months and a half of a department; how often is swept is another die's."""
    dice, sweep = Random(seed), Random(seed + 1000)
    now = clock.now()
    with unit_of_work():
        somebody("director2", "何平", "director")
    for _step in range(28):
        now += timedelta(hours=dice.randrange(3, 120))
        with clock.frozen(now):
            what = dice.random()
            if what < 0.3:
                tried(dice.choice(HAPPENS))
            elif what < 0.8:
                tick() if sweep.random() < sweeps else None
                some_step(dice)
            elif what < 0.9:
                review(dice)
            else:
                tick()
                close_next()
            holds_true()
    with clock.frozen(now + timedelta(days=40)):
        tick()
        while db.session.query(Month).filter(Month.state == "open", Month.month < clock.today().replace(day=1)).count():
            db.session.rollback()
            close_next()
        holds_true()


@pytest.mark.takes_long
@pytest.mark.parametrize("seed", range(STORIES))
@pytest.mark.usefixtures("sound")
def test_each_fen_proposed_is_taken_pending_struck_or_waived(app, seed):
    story(seed, 0.5)
    rows = db.session.query(Penalty).all()
    assert len(rows) > 3
    assert recount()["taken"] == sum(row.effective_fen for row in rows), "a year later all is closed"


def proposed(seed: int, *, often: bool) -> list[tuple]:
    """Things happen, nobody decides: all that is proposed in the end."""
    dice, now = Random(seed), clock.now()
    for _step in range(8):
        now += timedelta(hours=dice.randrange(3, 60))
        with clock.frozen(now):
            tried(dice.choice(HAPPENS[:5]))
            if often:
                tick()
                tick()
    with clock.frozen(now + timedelta(days=20)):
        tick()
        rows = [(row.category, row.happened_at, row.fen, row.concerned_id, row.title) for row in db.session.query(Penalty)]
        db.session.rollback()
    return sorted(rows)


@pytest.mark.parametrize("seed", range(3))
def test_how_often_was_swept_changes_nothing_of_what_is_proposed(app, elsewhere, seed):
    once = proposed(seed, often=False)
    with elsewhere.app_context():
        Path(elsewhere.config["INSTANCE"]).mkdir(parents=True)
        migrate()
        make.department()
        db.session.remove()
        assert proposed(seed, often=True) == once and once
