"""A backup holds all there is, is restored whole or not at all, and never in a place where something is."""

import errno
import os
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select

from crm import clock
from crm.db import db, transactions, unit_of_work
from crm.durable import backup, checks, restore, snapshots
from crm.durable import manifest as form
from crm.durable.manifest import NotDone
from crm.files import store
from crm.files import workflow as files
from crm.files.models import File
from crm.files.workflow import forget_drafts
from crm.migrating import behind
from crm.tickets.models import Ticket
from tests import make


def all_rows() -> dict[str, list]:
    """Every row of every table, and of the search's letters how many there are."""
    with transactions(read_only=True), db.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)))) for table in db.metadata.tables.values()
        }


def bad() -> list[str]:
    return [str(result) for result in checks.run() if result.mark in (checks.BAD, checks.FAILED)]


def nothing_in(place) -> bool:
    """No table, no file, no folder left behind."""
    with place.app_context():
        folder = Path(place.config["INSTANCE"])
        return not snapshots.present() and (not folder.exists() or not list(folder.iterdir()))


@pytest.fixture
def dest(worked, tmp_path) -> Path:
    backup.make(tmp_path / "one.backup")
    return tmp_path / "one.backup"


def test_what_is_restored_is_what_was_there_row_by_row_and_byte_by_byte(dest, elsewhere):
    before, bytes_before = all_rows(), {path.name: path.read_bytes() for path in store.every()}
    assert len(bytes_before) == 2
    with elsewhere.app_context():
        restore.restore(dest)
        assert all_rows() == before
        assert {path.name: path.read_bytes() for path in store.every()} == bytes_before
        assert behind() == "" and bad() == []
        with unit_of_work():
            assert make.ticket().number == "T2611-0003", "numbers go on after the last that was given"


def test_a_backup_is_for_its_owner_alone_and_holds_no_key_unless_asked(dest, worked, elsewhere, tmp_path):
    assert dest.stat().st_mode & 0o077 == 0
    with tarfile.open(dest) as archive:
        assert form.KEY not in archive.getnames()
    with pytest.raises(NotDone, match="CRM_SECRET_KEY"):
        backup.make(tmp_path / "two.backup", with_key=True)
    (tmp_path / "secret.key").write_text("of this place")
    backup.make(tmp_path / "two.backup", with_key=True)
    with elsewhere.app_context():
        restore.restore(tmp_path / "two.backup")
        key = Path(elsewhere.config["INSTANCE"]) / "secret.key"
        assert key.read_text() == "of this place" and key.stat().st_mode & 0o077 == 0


def test_a_place_restored_without_a_key_gets_one_of_its_own(dest, elsewhere):
    with elsewhere.app_context():
        restore.restore(dest)
    assert len((Path(elsewhere.config["INSTANCE"]) / "secret.key").read_text()) == 64


def test_it_never_overwrites_anything_and_leaves_nothing_half_made(dest, tmp_path):
    before, whole = sorted(os.listdir(tmp_path)), dest.read_bytes()
    with pytest.raises(NotDone, match="there already"):
        backup.make(dest)
    with pytest.raises(NotDone, match="no folder"):
        backup.make(tmp_path / "nowhere" / "x")
    assert sorted(os.listdir(tmp_path)) == before and dest.read_bytes() == whole


def test_a_name_taken_while_it_was_made_is_not_overwritten_either(worked, tmp_path, monkeypatch):
    dest, put = tmp_path / "x.backup", backup._put_files

    def meanwhile(*words) -> None:
        dest.write_text("another's")
        put(*words)

    monkeypatch.setattr(backup, "_put_files", meanwhile)
    with pytest.raises(NotDone, match="there already"):
        backup.make(dest)
    assert dest.read_text() == "another's"


def test_lost_or_damaged_bytes_are_said_and_a_backup_without_them_must_be_asked_for(worked, elsewhere, tmp_path):
    lost, damaged = sorted(store.every())
    lost.unlink()
    damaged.write_bytes(b"rotten")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(NotDone, match="Bytes of 2 stored files"):
        backup.make(tmp_path / "x.backup")
    assert sorted(os.listdir(tmp_path)) == before
    assert len(backup.make(tmp_path / "x.backup", anyway=True).lost) == 2
    with elsewhere.app_context():
        restore.restore(tmp_path / "x.backup")
        assert [line.partition(":")[0] for line in bad()] == ["bad  every file has its bytes"]


def test_a_draft_that_a_sweep_forgets_in_the_middle_is_in_it_all_the_same(worked, elsewhere, tmp_path, monkeypatch):
    with unit_of_work():
        old = files.draft("alt.pdf", make.PDF + b"old", make.who("specialist"))
        old.added_at = clock.now() - 2 * files.DRAFTS_LIVE
        db.session.add(old)
    sha256 = old.sha256
    path, ago, named = store.path_of(sha256), clock.now().timestamp() - 7200, backup._named
    os.utime(path, (ago, ago))

    def meanwhile(then):
        db.session.rollback()
        assert forget_drafts(clock.now()) == 1
        return named(then)

    monkeypatch.setattr(backup, "_named", meanwhile)
    made = backup.make(tmp_path / "x.backup")
    assert sha256 in made.files
    with elsewhere.app_context():
        restore.restore(tmp_path / "x.backup")
        assert bad() == [] and db.session.scalar(select(File.id).where(File.name == "alt.pdf"))


def test_what_is_written_after_it_began_is_not_in_it_and_harms_nothing(worked, elsewhere, tmp_path, monkeypatch):
    named = backup._named

    def meanwhile(then):
        db.session.rollback()
        with unit_of_work():
            make.ticket(title="danach", files=[make.application(make.who("specialist"))])
        return named(then)

    monkeypatch.setattr(backup, "_named", meanwhile)
    backup.make(tmp_path / "x.backup")
    with elsewhere.app_context():
        restore.restore(tmp_path / "x.backup")
        assert bad() == [] and not db.session.scalar(select(Ticket.id).where(Ticket.title == "danach"))


def test_a_backup_that_was_cut_off_is_refused_and_nothing_is_left(dest, elsewhere):
    whole = dest.read_bytes()
    with tarfile.open(dest) as archive:
        last = archive.getmembers()[-1]
    end = last.offset_data + last.size  # what follows is nothing but zeros
    for part in range(40):
        dest.write_bytes(whole[: (end - 1) * part // 39])
        with elsewhere.app_context(), pytest.raises(NotDone, match="no whole backup"):
            restore.restore(dest)
    assert nothing_in(elsewhere)


def test_one_changed_letter_anywhere_is_refused_and_nothing_is_left(dest, elsewhere):
    with tarfile.open(dest) as archive:
        members = list(archive)
    assert {member.name for member in members} > {form.DATABASE, form.MANIFEST, form.SEAL}
    for at in [member.offset_data + member.size // 2 for member in members]:
        with dest.open("r+b") as file:
            file.seek(at)
            letter = file.read(1)
            file.seek(at)
            file.write(bytes([letter[0] ^ 1]))
        with elsewhere.app_context(), pytest.raises(NotDone, match="no whole backup"):
            restore.restore(dest)
        with dest.open("r+b") as file:
            file.seek(at)
            file.write(letter)
    assert nothing_in(elsewhere)
    with elsewhere.app_context():
        restore.restore(dest)  # as it was, it is taken


def test_what_the_manifest_does_not_name_is_refused(dest, elsewhere, tmp_path):
    odd = tmp_path / "odd"
    with tarfile.open(dest) as old, tarfile.open(odd, "w") as new:
        (tmp_path / "evil").write_text("x")
        new.add(tmp_path / "evil", "../evil")
        for member in old:
            new.addfile(member, old.extractfile(member))
    with elsewhere.app_context(), pytest.raises(NotDone, match="does not hold what"):
        restore.restore(odd)
    assert nothing_in(elsewhere)


def test_only_an_empty_place_takes_a_backup(dest, worked, elsewhere):
    before = all_rows()
    with pytest.raises(NotDone, match="files in"):
        restore.restore(dest)
    for path in list(store.every()):
        path.unlink()
    with pytest.raises(NotDone, match="tables in"):
        restore.restore(dest)
    assert all_rows() == before
    with elsewhere.app_context():
        path = Path(elsewhere.config["INSTANCE"]) / "files" / "ab" / "something"
        path.parent.mkdir(parents=True)
        path.write_text("there")
        with pytest.raises(NotDone, match="files in"):
            restore.restore(dest)
        assert path.read_text() == "there" and not snapshots.present()


@pytest.mark.parametrize("step", ["migrate", "catch_up", "count"])
def test_whatever_goes_wrong_in_the_middle_the_place_is_empty_as_before(dest, elsewhere, monkeypatch, step):
    def fails(*_words):
        raise RuntimeError("in the middle")

    if step == "count":
        monkeypatch.setattr(snapshots, "count_now", dict)
    else:
        monkeypatch.setattr(*{"migrate": (restore, "migrate"), "catch_up": (restore.search, "catch_up")}[step], fails)
    with elsewhere.app_context(), pytest.raises(NotDone, match="in the middle|as many rows"):
        restore.restore(dest)
    assert nothing_in(elsewhere)
    monkeypatch.undo()
    with clock.frozen(make.MONDAY), elsewhere.app_context():
        restore.restore(dest)
        assert bad() == []


def test_a_backup_of_another_database_or_of_a_newer_version_is_refused(dest, elsewhere, monkeypatch):
    with elsewhere.app_context():
        monkeypatch.setattr(restore, "knows", lambda revision: False)
        with pytest.raises(NotDone, match="newer version"):
            restore.restore(dest)
        monkeypatch.setattr(snapshots, "kind", lambda: "another")
        with pytest.raises(NotDone, match="CRM_DATABASE_URL"):
            restore.restore(dest)
    monkeypatch.undo()
    assert nothing_in(elsewhere)


def test_a_full_disk_is_one_line_and_leaves_nothing(dest, worked, elsewhere, tmp_path, monkeypatch):
    def full(*_words) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted(os.listdir(tmp_path))
    monkeypatch.setattr(form, "add", full)
    with pytest.raises(NotDone, match="No space left"):
        backup.make(tmp_path / "x.backup")
    assert sorted(os.listdir(tmp_path)) == before
    monkeypatch.setattr(form, "unpack", full)
    with elsewhere.app_context(), pytest.raises(NotDone, match="No space left"):
        restore.restore(dest)
    assert nothing_in(elsewhere)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_without_the_programs_of_postgresql_one_line_says_what_to_install(worked, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotDone, match="postgresql-client"):
        backup.make(tmp_path / "x.backup")
    assert not (tmp_path / "x.backup").exists()
