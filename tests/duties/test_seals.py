"""The chain of seals shows what was changed, put in, taken out, moved or cut off, and nobody makes one without the key."""

import hashlib
import json
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import undefer

from crm import clock
from crm.db import db, unit_of_work
from crm.duties import anchors, seals
from crm.duties.models import Event
from crm.duties.seals import Seal
from tests import make
from tests.browsing import together

LAST = "(SELECT max(event_id) FROM seals)"
TUESDAY = make.MONDAY.replace(day=24)


@pytest.fixture
def sealed(app, monkeypatch):
    """Events sealed and anchored; looked at in pieces, as a long chain is."""
    monkeypatch.setattr(seals, "BATCH", 7)
    with unit_of_work():
        make.ticket()
    seals.seal_events(clock.now())
    seals.anchor(clock.now())
    db.session.rollback()
    return app


def behind_its_back(app, *statements: str) -> None:
    """As somebody with the database's own password would."""
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            for name in ("no_update", "no_delete", "no_replace"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS events_{name}"))
        else:
            for table in ("events", "duties", "seals"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
    db.session.rollback()


def faults() -> str:
    return "\n".join(seals.verify().faults)


def test_every_event_is_sealed_once_and_the_chain_holds(sealed):
    found = seals.verify()
    assert found.faults == [] and found.waiting == 0 and found.plain == 0 and found.anchors == 1
    assert found.sealed == db.session.query(Event).count() > 3 * seals.BATCH
    assert seals.seal_events(clock.now()) == 0


def test_an_event_of_before_what_was_known_was_kept_has_the_seal_it_had(app):
    """Its bytes are those of then: an upgrade breaks no chain."""
    event = db.session.query(Event).options(undefer(Event.known)).filter_by(kind="user.added").first()
    told = [event.id, event.kind, event.subject_id, event.at.isoformat(), event.recorded_at.isoformat(), event.actor_id, "", "cli", event.facts]
    old = SimpleNamespace(**{name: getattr(event, name) for name in ("id", "kind", "subject_id", "at", "recorded_at", "actor_id", "address", "via", "facts")}, known=None)
    assert seals._said(old) == json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert event.known and seals._said(event) != seals._said(old)


def test_what_is_new_is_sealed_on_top(sealed):
    before = seals.verify().head
    with unit_of_work():
        make.ticket()
    assert seals.verify().waiting > 0
    seals.seal_events(clock.now())
    found = seals.verify()
    assert found.faults == [] and found.head != before


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["UPDATE events SET at = recorded_at, kind = 'ticket.noted' WHERE id = 5"], "event 5 is not as it was"),
        (["UPDATE events SET actor_id = 1 WHERE id = 7"], "event 7 is not as it was"),
        (["UPDATE events SET known = '{\"state\": \"ended\"}' WHERE kind = 'ticket.opened'"], "is not as it was"),
        (["UPDATE events SET known = NULL WHERE kind = 'ticket.opened'"], "is not as it was"),
        (["DELETE FROM events WHERE id = 9"], "event 9 is gone"),
        (["DELETE FROM seals WHERE event_id = 9", "DELETE FROM events WHERE id = 9"],
         "is missing, and the event it was for, after event 8"),
        (["UPDATE seals SET event_id = 900 WHERE seq = 4", "UPDATE seals SET event_id = 4 WHERE seq = 5",
          "UPDATE seals SET event_id = 5 WHERE seq = 4"], "event 5 is not as it was when it was sealed, or not in its place"),
        (["UPDATE seals SET hash = 'x' WHERE seq = 4"], "not as it was"),
        (["DELETE FROM seals WHERE seq = 6"], "seal 6 is missing"),
        ([f"DELETE FROM seals WHERE event_id = {LAST}"], "is gone, and all after event"),
        (["INSERT INTO events (id, kind, subject_id, at, recorded_at, address, via, facts) SELECT 900, kind, subject_id, at, "
          "recorded_at, address, via, facts FROM events WHERE id = 5",
          f"INSERT INTO seals (seq, event_id, hash, key) SELECT max(seq) + 1, 900, '{'0' * 64}', max(key) FROM seals"],
         "event 900 is not as it was"),
    ],
)  # fmt: skip
def test_whatever_is_done_to_it_shows_and_the_event_is_named(sealed, statements, said):
    behind_its_back(sealed, *statements)
    assert said in faults()


def test_a_tail_cut_off_with_its_seals_shows_by_the_anchor(sealed):
    behind_its_back(
        sealed, f"DELETE FROM duties WHERE opened_by_id = {LAST} OR kept_by_id = {LAST}",
        "CREATE TABLE gone AS SELECT max(event_id) AS id FROM seals",
        "DELETE FROM seals WHERE event_id = (SELECT id FROM gone)", "DELETE FROM events WHERE id = (SELECT id FROM gone)",
    )  # fmt: skip
    assert ["is gone, and all after event" in fault for fault in seals.verify().faults] == [True]


def test_what_nobody_sealed_in_time_shows(sealed):
    with unit_of_work():
        make.ticket()
    with clock.frozen(make.MONDAY.replace(hour=5)):
        assert "not sealed" in faults()


def laid_anew(key: str = "") -> list[str]:
    """The statements of somebody who changed an event and lays the whole chain anew, without our key."""
    last, new = "", []
    for seal, event in db.session.query(Seal, Event).options(undefer(Event.known)).join(Event, Event.id == Seal.event_id).order_by(Seal.seq):
        db.session.expunge(event)
        event.address = "1.2.3.4" if event.id == 5 else event.address
        last = hashlib.sha256(last.encode() + seals._said(event)).hexdigest()
        new.append(f"UPDATE seals SET hash = '{last}', key = '{key or seal.key}' WHERE seq = {seal.seq}")
    return ["UPDATE events SET address = '1.2.3.4' WHERE id = 5", *new]


def test_a_chain_laid_anew_without_the_key_shows_even_where_nothing_was_anchored(sealed):
    anchors.path().write_text("")
    behind_its_back(sealed, *laid_anew())
    assert len([one for one in seals.verify().faults if "not as it was" in one]) == seals.verify().sealed


def test_a_chain_laid_anew_by_the_old_rule_is_not_taken_for_an_old_one(sealed):
    behind_its_back(sealed, *laid_anew(), "UPDATE seals SET key = ''")
    assert "have no key, and no anchor says that they need none" in faults()
    anchored = db.session.query(Seal).order_by(Seal.seq.desc()).first().event_id
    assert f"of event {anchored} is not the one that was anchored" in faults()
    with pytest.raises(RuntimeError, match="audit-verify"):
        seals.anchor(TUESDAY)


def test_seals_of_another_key_are_said_to_be_so_and_are_checked_with_it(sealed):
    sealed.config["SECRET_KEY"] = "another"
    seals.seal_events(clock.now())
    said = seals.verify().faults
    assert len(said) == 1 and "made with another key" in said[0] and "--key" in said[0]
    assert seals.verify([seals.Key.of("of the tests, and of nothing else at all")]).faults == []
    behind_its_back(sealed, "UPDATE events SET actor_id = 1 WHERE id = 7")
    assert "event 7" in "\n".join(seals.verify([seals.Key.of("of the tests, and of nothing else at all")]).faults)


@pytest.fixture
def plain(app):
    """A chain laid before there was a key, as the last version left it."""
    with unit_of_work():
        make.ticket()
        last = ""
        for place, event in enumerate(db.session.query(Event).options(undefer(Event.known)).order_by(Event.id), 1):
            last = seals._plain(last, event)
            db.session.add(Seal(seq=place, event_id=event.id, hash=last))
    with anchors.path().open("w") as file:
        file.write(f"2026-11-22 {place} {last}\n")
    return app


def test_what_was_sealed_before_there_was_a_key_is_checked_by_the_old_rule(plain):
    assert seals.verify().faults == []
    with unit_of_work():
        make.ticket()
    seals.seal_events(clock.now())
    seals.anchor(clock.now())
    found = seals.verify()
    assert found.faults == [] and 0 < found.plain < found.sealed
    assert [one.key for one in anchors.read().lines][:2] == ["", "plain"] and len(anchors.read().lines) == 3
    behind_its_back(plain, "UPDATE events SET actor_id = 1 WHERE id = 7")
    assert "event 7" in faults()


def test_the_anchor_is_written_once_a_day_and_only_if_the_chain_has_moved(sealed):
    assert seals.anchor(clock.now()) == 0 and len(anchors.read().lines) == 1
    assert seals.anchor(TUESDAY) == 0
    with unit_of_work():
        make.ticket()
    with clock.frozen(TUESDAY):
        seals.seal_events(clock.now())
        assert seals.anchor(clock.now()) == 1 and seals.anchor(clock.now()) == 0
        assert seals.verify().faults == [] and len(anchors.read().lines) == 2


def test_a_lost_file_shows_and_nothing_is_anchored_until_somebody_has_looked(sealed):
    anchors.path().unlink()
    with unit_of_work():
        make.ticket()
    with clock.frozen(TUESDAY):
        seals.seal_events(clock.now())
        with pytest.raises(RuntimeError, match="is gone"):
            seals.anchor(clock.now())
        assert seals.verify().faults == [seals.LOST] and not anchors.path().exists()
        anchors.path().touch()
        assert seals.anchor(clock.now()) == 1 and seals.verify().faults == []


def rotated(app, key: str = "a newer one, and of nothing else at all") -> None:
    app.config.update(SECRET_KEY=key, FORMER_KEYS=[app.config["SECRET_KEY"], *app.config["FORMER_KEYS"]])


def test_a_new_key_is_anchored_at_once_and_a_former_one_seals_nothing_upon_it(sealed):
    former = sealed.config["SECRET_KEY"]
    with unit_of_work():
        make.ticket()
    seals.seal_events(clock.now())
    before = db.session.query(Seal).count()
    rotated(sealed)
    with unit_of_work():
        make.ticket()
    seals.seal_events(clock.now())
    assert seals.anchor(clock.now()) == 1 and seals.anchor(clock.now()) == 0 and seals.verify().faults == []
    last = db.session.query(Seal).filter_by(seq=before).one().hash
    statements = []
    for seal, event in db.session.query(Seal, Event).options(undefer(Event.known)).join(Event, Event.id == Seal.event_id).filter(Seal.seq > before).order_by(Seal.seq):
        last = seals.Key.of(former).seal(seal.seq, last, event)
        statements.append(f"UPDATE seals SET hash = '{last}', key = '{seals.Key.of(former).name}' WHERE seq = {seal.seq}")
    behind_its_back(sealed, *statements)
    assert "is not the one that was anchored" in faults(), "whoever has the former key lays the newest anew"


def test_seals_of_a_former_key_upon_those_of_a_newer_one_show(sealed):
    rotated(sealed)
    with unit_of_work():
        make.ticket()
    seals.seal_events(clock.now())
    db.session.rollback()
    sealed.config.update(SECRET_KEY=sealed.config["FORMER_KEYS"][0], FORMER_KEYS=[sealed.config["SECRET_KEY"]])
    assert "with a former key upon those of a newer one" in faults()


def test_a_process_that_goes_on_with_a_former_key_seals_nothing(sealed, tmp_path):
    (tmp_path / "secret.key").write_text("the new one\n" + sealed.config["SECRET_KEY"])
    with pytest.raises(RuntimeError, match="start this process anew"):
        seals.seal_events(clock.now())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_facts_that_say_something_twice_show(sealed):
    event = next(one for one in db.session.query(Event) if one.facts)
    name = next(iter(event.facts))
    behind_its_back(sealed, f"UPDATE events SET facts = '{{\"{name}\"\\: 77, ' || substr(facts, 2) WHERE id = {event.id}")
    assert seals.verify().faults == [f"event {event.id} says something twice, which was not so when it was sealed"]


def test_without_anchors_of_their_time_seals_without_a_key_are_nobodys(sealed):
    statements = laid_anew()
    anchors.path().write_text("")
    behind_its_back(sealed, *statements, "UPDATE seals SET key = ''")
    assert "no anchor says that they need none" in faults()
    with unit_of_work():
        make.ticket()
    seals.seal_events(clock.now())
    assert "no anchor says that they need none" in faults(), "nor does a sweep make them anybody's"


def test_all_seals_gone_with_their_file_show_even_after_a_sweep(sealed):
    anchors.path().unlink()
    behind_its_back(sealed, "DELETE FROM seals", "UPDATE events SET address = '1.2.3.4' WHERE id = 5")
    assert seals.LOST in seals.verify().faults
    seals.seal_events(clock.now())
    with pytest.raises(RuntimeError, match="is gone"):
        seals.anchor(clock.now())
    assert seals.verify().faults == [seals.LOST]


def test_an_event_that_no_sweep_would_seal_shows(sealed, monkeypatch):
    monkeypatch.setattr(seals, "LATE", 10)
    columns = "kind, subject_id, at, recorded_at, actor_id, address, via, facts"
    behind_its_back(sealed, f"INSERT INTO events (id, {columns}) SELECT -99, {columns} FROM events WHERE id = 5")
    seals.seal_events(clock.now())
    assert "event -99 " in faults() and "was put in" in faults()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_time_that_cannot_be_read_is_a_fault_and_the_rest_is_said(sealed):
    behind_its_back(sealed, "UPDATE events SET at = at || 'zzz' WHERE id = 5")
    assert ["cannot be read" in fault for fault in seals.verify().faults] == [True]


def test_every_line_counts_also_where_a_seal_is_named_twice(sealed):
    first = anchors.read().lines[0]
    with anchors.path().open("a") as file:
        file.write(f"2026-11-24 {first.seq} {'0' * 64} {first.key}\n{first}\n")
    said = seals.verify().faults
    assert len(said) == 2 and "two hashes of seal" in said[0] and "anchored on 2026-11-24" in said[1]


def test_a_torn_or_odd_line_is_named_and_nothing_is_glued_to_it(sealed):
    with anchors.path().open("ab") as file:
        file.write(b"2026-11-2" + b"\xff")
    with unit_of_work():
        make.ticket()
    with clock.frozen(TUESDAY):
        seals.seal_events(clock.now())
        assert seals.anchor(clock.now()) == 1
        assert len(anchors.read().lines) == 2
        assert ["line 2 is no anchor" in fault for fault in seals.verify().faults] == [True]


def test_eight_workers_at_once_make_one_chain(served):
    with served.app_context():
        with unit_of_work():
            for _ in range(5):
                make.ticket()
        db.session.remove()

    def work(_i: int) -> int:
        with served.app_context():
            try:
                return seals.seal_events(clock.now())
            finally:
                db.session.remove()

    done = together(8, work)
    with served.app_context():
        found = seals.verify()
        assert found.faults == [] and found.waiting == 0 and sum(done) == found.sealed
