"""A backup holds all there is, is restored whole or not at all, and never in a place where something is."""

import errno
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select, text

from crm import clock, sweep
from crm.db import db, transactions, unit_of_work
from crm.durable import backup, checks, restore, snapshots
from crm.durable import manifest as form
from crm.durable.manifest import NotDone
from crm.duties import anchors, seals
from crm.duties.models import Event
from crm.errors import NotThere
from crm.files import store
from crm.files import workflow as files
from crm.files.models import File
from crm.files.workflow import forget_drafts
from crm.migrating import behind
from crm.staff import factor, links
from crm.staff.models import Login
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
        after = all_rows()
        users = after.pop("users"), before.pop("users")
        assert len(users[0]) == len(users[1]) and users[0] != users[1], "no lasting link of theirs is good any more"
        assert all(set(rows) <= set(after[name]) for name, rows in before.items())
        grown = {name: len(rows) - len(before[name]) for name, rows in after.items() if rows != before[name]}
        assert grown == {"subjects": 1, "departments": 1, "counters": 1, "events": 1}, "that it was restored, and nothing else"
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
        assert key.parent.stat().st_mode & 0o077 == 0
        assert key.read_text() == "of this place" and key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("key", [b" \n\n", b"\xff\xfe key"])
def test_a_key_that_is_none_is_refused_before_anything_is_in_place(worked, elsewhere, tmp_path, key):
    (tmp_path / "secret.key").write_bytes(key)
    backup.make(tmp_path / "two.backup", with_key=True)
    with elsewhere.app_context(), pytest.raises(NotDone, match="holds no key"):
        restore.restore(tmp_path / "two.backup")
    assert nothing_in(elsewhere)


@pytest.mark.parametrize("beside", ["loose", "deep/er/down"])
def test_whatever_lies_in_a_place_stays_there_and_nothing_is_restored(dest, elsewhere, beside):
    mine = Path(elsewhere.config["INSTANCE"]) / "files" / beside
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with elsewhere.app_context(), pytest.raises(NotDone, match="There are files"):
        restore.restore(dest)
    assert mine.read_text() == "mine"


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


def test_a_restore_ends_every_log_in_voids_every_link_and_is_written_down(worked, tmp_path, elsewhere):
    with unit_of_work():
        me = make.who("specialist")
        token = links.make(me, by=make.who("admin"))
        spare = factor.set_up(me, secret := factor.new_secret(), pyotp.TOTP(secret).at(int(clock.now().timestamp())))
        db.session.add(Login(user_id=me.id, token_hash="t", started_at=clock.now()))
    backup.make(tmp_path / "x.backup")
    with elsewhere.app_context():
        restore.restore(tmp_path / "x.backup")
        assert [login.ended_at for login in db.session.query(Login)] == [clock.now()]
        with pytest.raises(NotThere):
            links.of(token)
        said = db.session.query(Event).order_by(Event.id.desc()).first()
        assert said.kind == "settings.restored" and (said.facts["logins"], said.facts["links"]) == (1, 1)
        assert said.facts["made_at"] == clock.now().isoformat()
        with unit_of_work():
            assert factor.takes(make.who("specialist").id, spare[0]), "nobody is locked out by a restore"


def test_the_anchors_come_along_and_the_chain_still_holds(worked, tmp_path, elsewhere):
    sweep.tick()
    backup.make(tmp_path / "x.backup")
    with elsewhere.app_context():
        own = Path(elsewhere.config["INSTANCE"])
        own.mkdir(parents=True)
        (own / anchors.NAME).write_text(f"2026-11-20 1 {'0' * 64}\n")
        restore.restore(tmp_path / "x.backup")
        assert sweep.tick().failed == ()
        found = seals.verify()
        assert found.faults == [] and found.anchors == 1
        assert next(own.glob("anchors.until-*.log")).read_text().startswith("2026-11-20 1 000")


STRANGE = {
    "sqlite": ["CREATE TRIGGER other AFTER INSERT ON subjects BEGIN DELETE FROM seals; END"],
    "postgresql": ["CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
                   "CREATE TRIGGER other AFTER INSERT ON subjects EXECUTE FUNCTION other()"],
}  # fmt: skip


def test_a_backup_with_a_trigger_that_is_not_ours_is_refused(worked, database, tmp_path, elsewhere):
    db.session.rollback()
    with transactions(read_only=False), db.engine.begin() as connection:
        for statement in STRANGE[database]:
            connection.execute(text(statement))
    backup.make(tmp_path / "x.backup")
    with elsewhere.app_context(), pytest.raises(NotDone, match="not of this program"):
        restore.restore(tmp_path / "x.backup")
    assert nothing_in(elsewhere)


def altered(source: Path, change) -> Path:
    """A backup whose manifest, hash and all, says something else."""
    odd = source.with_name("odd")
    with tarfile.open(source) as old, tarfile.open(odd, "w") as new:
        for member in old.getmembers()[:-2]:
            new.addfile(member, old.extractfile(member))
        written = change(old.extractfile(form.MANIFEST).read())
        for name, content in ((form.MANIFEST, written), (form.SEAL, hashlib.sha256(written).hexdigest().encode())):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            new.addfile(info, io.BytesIO(content))
    return odd


def saying(**changes):
    return lambda text: json.dumps(json.loads(text) | changes).encode()


CRAFTED = {
    "a list of members": saying(members=[]), "members that are words": saying(members={"database": "x"}),
    "a size that is none": saying(members={"database": {"sha256": "0" * 64, "size": True}}),
    "a day that is none": saying(made_at="soon"), "a day before all days": saying(made_at="0001-01-01T00:00:00+14:00"),
    "words for a terminal": saying(program="\x1b[31m\nroot"), "a number for a word": saying(revision=8), "lost words": saying(lost="x"),
    "counts": saying(counts={"events": "many"}), "lines": saying(format="a\nb"), "a list": lambda _text: b"[1]",
    "nested": lambda _text: b"[" * 200_000, "nested in it": lambda _text: b'{"format": ' + b"[" * 200_000,
    "a number without end": lambda _text: b'{"format": ' + b"9" * 10_000 + b"}", "no text": lambda _text: b"\xff\xfe",
}  # fmt: skip


@pytest.mark.parametrize("case", CRAFTED)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_manifest_that_somebody_made_up_is_one_clear_line(dest, elsewhere, case):
    with elsewhere.app_context(), pytest.raises(NotDone, match="no whole backup") as refused:
        restore.restore(altered(dest, CRAFTED[case]))
    assert len(str(refused.value).splitlines()) == 1 and len(str(refused.value)) < 500
    assert nothing_in(elsewhere)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_is_read_that_is_longer_than_it_may_be_or_than_it_is_in_the_file(dest, elsewhere, tmp_path, monkeypatch):
    monkeypatch.setattr(form, "LONGEST", 100)
    with elsewhere.app_context(), pytest.raises(NotDone, match="manifest.json is too long"):
        restore.restore(dest)
    with pytest.raises(NotDone, match="too many files"):
        backup.make(tmp_path / "two.backup")
    monkeypatch.undo()
    with tarfile.open(dest) as old, tarfile.open(tmp_path / "odd", "w", format=tarfile.PAX_FORMAT) as new:
        for member in old:  # one with a hole of a terabyte in it
            if member.name == form.DATABASE:
                member.pax_headers = {"GNU.sparse.size": str(1 << 40), "GNU.sparse.numblocks": "0", "GNU.sparse.map": "0,0"}
            new.addfile(member, old.extractfile(member))
    with clock.frozen(make.MONDAY), elsewhere.app_context(), pytest.raises(NotDone, match="no plain file"):
        restore.restore(tmp_path / "odd")
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
