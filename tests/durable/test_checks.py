"""What `crm check` finds, each kind broken by hand, and nothing where nothing is wrong."""

import os

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm import clock
from crm.db import db, transactions
from crm.durable import checks
from crm.files import store
from tests.durable.spoiling import LEFT_OUT, found, spoil


def test_nothing_is_found_where_all_is_well(worked, database):
    results = list(checks.run())
    assert {result.what for result in results if result.mark != checks.OK} == LEFT_OUT[database]
    assert checks.exit_code(results) == 0 and len(results) > 30
    assert all(len(str(result).splitlines()) == 1 for result in results)


GHOST = ("INSERT INTO subjects (id, kind, number, title, state, category, priority, opened_at, version) "
         "VALUES (9000, '{}', 'X1', '', 'new', '', 'normal', '2026-11-01 00:00:00', 1)")  # fmt: skip
ODD = {
    "state": (["UPDATE subjects SET state = 'lost' WHERE kind = 'ticket'"], {"every ticket is in one of its states"}),
    "edition": (["UPDATE subjects SET edition_id = NULL WHERE kind = 'ticket'"],
                {"open duties stand on subjects with an edition"}),
    "kept": (["UPDATE duties SET kept_by_id = opened_by_id WHERE dropped_by_id IS NULL"],
             {"a duty ends after it was opened"}),
    "elsewhere": (["UPDATE duties SET held_by_id = (SELECT max(id) FROM events) WHERE id = (SELECT min(id) FROM duties)"],
                  {"a duty's events are its subject's own, or of what came of it", "a duty waits only for a request that is undecided"}),
    "missed": (["UPDATE duties SET breached_by_id = (SELECT max(e.id) FROM events e WHERE e.subject_id = duties.subject_id) "
                "WHERE id = (SELECT max(id) FROM duties)"], {"a missed duty was written down as missed"}),
    "stamps": (["UPDATE tickets SET started_at = '2026-11-23 00:00:00' WHERE started_at IS NULL"],
               {"a record's stamps fit its state"}),
    "waiting": (["UPDATE subjects SET state = 'waiting' WHERE kind = 'ticket' AND state = 'new'"],
                {"a record's stamps fit its state"}),
    "until": (["UPDATE subjects SET state = 'waiting' WHERE kind = 'ticket' AND state = 'new'",
               "UPDATE tickets SET started_at = '2026-11-23 00:00:00' WHERE started_at IS NULL"],
              {"a record's stamps fit its state"}),
    "half": ([GHOST.format("ticket")],
             {"every ticket is whole", "every subject has its first event"}),
    "kind": ([GHOST.format("ghost")], {"every subject is of a kind there is", "every subject has its first event"}),
    "owner": (["UPDATE subjects SET owner_id = customer_id WHERE kind = 'ticket'"], {"every owner_id names one of kind user"}),
    "time": (["UPDATE subjects SET opened_at = '2027-01-01 00:00:00' WHERE kind = 'ticket'"],
             {"events lie between opening and their recording"}),
    "future": (["INSERT INTO events (id, kind, subject_id, at, recorded_at, address, via, facts) SELECT -5, 'ticket.noted', id, opened_at, "
                "'2099-01-01 00:00:00', '', 'page', '{}' FROM subjects WHERE kind = 'ticket' LIMIT 1"],
               {"no event was recorded in the future"}),
    "parent": (["DELETE FROM contacts"], {"what is referred to is there"}),
    "letters": (["INSERT INTO search_rows (id, subject_id, kind, ref, name, text, folded) "
                 "SELECT id * 65536 + 7, id, 'stray', 7, '', '', '' FROM users LIMIT 1"], {"every row of the search has its letters"}),
}  # fmt: skip


@pytest.mark.parametrize("case", ODD)
def test_a_row_that_cannot_be_is_found_and_nothing_else_is(worked, database, case):
    statements, wanted = ODD[case]
    spoil(*statements)
    assert found() - LEFT_OUT[database] == wanted
    assert checks.exit_code(list(checks.run())) == 1


def test_a_search_that_was_not_filled_is_found(worked, database):
    spoil("DELETE FROM search_keys", "DELETE FROM search_rows")
    kinds = {f"every {kind} can be found by the search" for kind in ("customer", "installation", "ticket")}
    assert found() - LEFT_OUT[database] == {*kinds, "every row of the search has its letters"}


TRIGGERS = "events can neither be changed nor deleted, and nothing else acts by itself"
MADE = "CREATE TRIGGER events_no_{0} BEFORE {0} ON events BEGIN SELECT {1}; END"
FUNCTION = "CREATE {} FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
ACTING = {
    "sqlite": {
        "events_no_delete is gone": ["DROP TRIGGER events_no_delete"],
        "events_no_replace is gone": ["DROP TRIGGER events_no_replace"],
        "events_no_update is not as it was made": ["DROP TRIGGER events_no_update", MADE.format("update", 1)],
        "other is not of this program": ["CREATE TRIGGER other AFTER INSERT ON users BEGIN DELETE FROM seals; END"],
    },
    "postgresql": {
        "events_append_only is gone": ["DROP TRIGGER events_append_only ON events"],
        "events_append_only is not as it was made": ["ALTER TABLE events DISABLE TRIGGER events_append_only"],
        "events_append_only() is not as it was made": [FUNCTION.format("OR REPLACE", "events_append_only")],
        "other is not of this program": [FUNCTION.format("", "another"),
            "CREATE TRIGGER other AFTER INSERT ON users EXECUTE FUNCTION another()"],
        "silent is not of this program": ["CREATE RULE silent AS ON UPDATE TO seals DO INSTEAD NOTHING"],
    },
}  # fmt: skip


@pytest.mark.parametrize(("database", "said"), [(kind, said) for kind in ACTING for said in ACTING[kind]],
                         indirect=["database"])  # fmt: skip
def test_triggers_are_those_the_migrations_made_word_for_word_and_no_others(worked, database, said):
    spoil(*ACTING[database][said])
    results = [one for one in checks.run() if one.mark == checks.BAD]
    assert [one.what for one in results] == [TRIGGERS] and said in results[0].found


def test_an_index_that_is_gone_is_missed(worked, database):
    """It may be what holds a number to one owner."""
    spoil("DROP INDEX uq_duties_open")
    results = [one for one in checks.run() if one.mark == checks.BAD]
    assert [one.found for one in results] == [("uq_duties_open",)] and "indexes" in results[0].what


def test_files_and_their_rows_are_compared_both_ways(worked, database):
    one, other = sorted(store.every())
    content = one.read_bytes()
    one.write_bytes(content[:-1] + b"!")
    assert found() - LEFT_OUT[database] == {"every file's bytes are what they were"}
    one.unlink()
    assert found() - LEFT_OUT[database] == {"every file has its bytes"}
    store.put(content)
    stray = store.path_of(store.put(b"nobody's"))
    assert found() == LEFT_OUT[database], "somebody may be about to name them"
    old = clock.now().timestamp() - 3 * 24 * 3600
    os.utime(stray, (old, old))
    assert found() - LEFT_OUT[database] == {"no bytes lie there that no file names"}


def test_many_findings_of_a_kind_are_one_line():
    line = str(checks.Result("all is well", checks.BAD, tuple(f"T{n}" for n in range(1000))))
    assert line == "bad  all is well: 1000 not so: T0, T1, T2, T3, T4, and 995 more"


def test_a_check_that_cannot_be_made_is_said_and_the_others_go_on(worked, monkeypatch):
    def fails():
        raise DBAPIError("SELECT", {}, Exception("no"))

    def listed():
        yield "this", fails
        yield "that", list

    monkeypatch.setattr(checks, "checks", listed)
    results = list(checks.run())
    assert [result.mark for result in results] == [checks.FAILED, checks.OK] and checks.exit_code(results) == 2


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_indexes_are_looked_into_where_the_server_can(worked):
    db.session.rollback()
    with transactions(read_only=False), db.engine.begin() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_available_extensions WHERE name = 'amcheck'")):
            pytest.skip("amcheck is not installed")
        connection.execute(text("CREATE EXTENSION amcheck"))
    assert found() == set()
    # an index that says it holds other rows than its table does
    spoil("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_events_at'::regclass")
    assert found() == {"the database is whole"}
