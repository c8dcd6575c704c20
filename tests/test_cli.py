"""The `crm` command as it is typed: in a process of its own, on SQLite."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from crm import keys, sweep
from crm.duties import seals
from tests import forked, make

CRM = str(Path(sys.executable).with_name("crm"))
ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path):
    """`run("tick", "--as-of", …)`: exit code, standard output, standard error."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRM_")}
    environment |= {"CRM_INSTANCE": str(tmp_path / "instance")}

    def command(*words: str, typed: str = "") -> tuple[int, str, str]:
        return forked.crm(words, typed, environment, tmp_path)

    command.environment = environment
    return command


@pytest.fixture(scope="session")
def initialised(tmp_path_factory) -> Path:
    """What `crm init` leaves, made once; its own test makes one of its own."""
    folder = tmp_path_factory.mktemp("cli")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CRM_")}
    subprocess.run([CRM, "init", "--admin", "boss"], input="a long password\n", text=True, capture_output=True, check=True,
                   cwd=folder, env=environment | {"CRM_INSTANCE": str(folder / "instance")})  # fmt: skip
    return folder / "instance"


@pytest.fixture
def ready(run, initialised, tmp_path):
    shutil.copytree(initialised, tmp_path / "instance")
    return run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_init_makes_the_database_and_the_first_administrator_once(run):
    code, said, _ = run("init", "--admin", "boss", typed="a long password\n")
    assert code == 0 and "log in as boss" in said
    code, _, wrong = run("init", "--admin", "other", typed="a long password\n")
    assert code == 1 and "accounts already" in wrong


def test_a_short_password_makes_no_account_and_it_may_be_tried_again(run):
    code, _, wrong = run("init", "--admin", "boss", typed="short\n")
    assert code == 1 and "12 characters" in wrong
    assert run("init", "--admin", "boss", typed="a long password\n")[0] == 0


@pytest.mark.parametrize("command", ["tick", "serve", "worker", "rulebook show", "rotate-keys"])
def test_before_init_every_command_says_what_to_do_in_one_line(run, command):
    code, _, wrong = run(*command.split())
    assert code == 1 and "crm init" in wrong and len(wrong.strip().splitlines()) == 1


def test_tick_says_what_it_did_one_line_a_kind_and_may_be_run_again(ready):
    code, said, _ = ready("tick", "--as-of", "2030-01-01T09:00")
    assert code == 0 and [line.split(": ")[0] for line in said.splitlines()] == list(sweep.STEPS)
    assert "duties marked as missed: 2" in said.splitlines()
    assert "duties marked as missed: 0" in ready("tick", "--as-of", "2030-01-01T09:00")[1].splitlines()
    code, _, wrong = ready("tick", "--as-of", "soon")
    assert code == 1 and "2026-11-24T18:30" in wrong


def test_a_step_that_fails_is_said_by_tick_and_by_check_and_stops_no_other(ready, tmp_path):
    assert ready("tick")[0] == 0
    (tmp_path / "instance" / "anchors.log").write_text(f"2026-01-01 1 {'0' * 64}\n")
    code, said, wrong = ready("tick")
    assert code == 1 and len(said.splitlines()) == len(sweep.STEPS) - 1
    assert wrong.splitlines()[-1] == "seals anchored outside: failed, see the log"
    code, said, _ = ready("check")
    assert code == 1 and "tried: 1 not so: seals anchored outside" in said and "notices removed: last done 20" in said
    code, said, wrong = ready("audit-verify")
    assert code == 1 and "anchors 1" in said and "seal 1 of event 1 is not the one that was anchored" in wrong


def test_an_upgraded_place_is_told_what_its_edition_does_not_ask_for(ready, tmp_path):
    code, said, summary = ready("rulebook", "new")
    assert code == 0 and not said and "R0001 lacks nothing" in summary
    old = tmp_path / "old.toml"
    old.write_text(re.sub(r'\[duty."call.regular"\].*?\n(?=\[duty)', "", ready("rulebook", "show")[1], flags=re.S))
    assert ready("rulebook", "add", str(old), "--from", "2030-01-01")[0] == 0
    code, said, summary = ready("rulebook", "new")
    assert code == 0 and '[duty."call.regular"]' in said and "R0002 lacks 1" in summary


def test_the_rulebook_is_shown_checked_and_added(ready, tmp_path):
    book = ready("rulebook", "show")[1]
    assert "rule" in book or '[duty."ticket.complete"]' in book
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(book, encoding="utf-8")
    bad.write_text(book.replace('clause = "5.1.4.1"', 'clause = "5.1.9"'), encoding="utf-8")
    assert ready("rulebook", "check", str(good))[0] == 0
    code, _, wrong = ready("rulebook", "check", str(bad))
    assert code == 1 and "no clause 5.1.9" in wrong
    assert "R0002 holds from 2030-01-01" in ready("rulebook", "add", str(good), "--from", "2030-01-01")[1]
    assert ready("rulebook", "add", str(good), "--from", "2029-01-01")[0] == 1
    assert ready("rulebook", "add", str(good), "--from", "1999-01-01")[0] == 1, (
        "what happened is judged by the rules of its day"
    )


def test_the_yearly_notice_is_taken_and_a_bad_one_changes_nothing(ready, tmp_path):
    notice = tmp_path / "2027.json"
    notice.write_text(
        '{"papers": [], "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}', encoding="utf-8"
    )
    assert ready("workdays", "import", str(notice))[1] == "2027.json: 1 days\n"
    notice.write_text("{}", encoding="utf-8")
    assert ready("workdays", "import", str(notice))[0] == 1


def test_customers_are_imported_and_the_last_line_counts(ready, tmp_path):
    sheet = tmp_path / "客户.csv"
    sheet.write_text("编号,简称\n000007,宏远机械\n,\n", encoding="utf-8-sig")
    said = ready("import", "customers", str(sheet))[1].splitlines()
    assert said[-1] == "created 1, updated 0, unchanged 0, refused 0", said
    assert (
        ready("import", "customers", str(sheet), "--dry-run")[1]
        .splitlines()[-1]
        .startswith("created 0, updated 0, unchanged 1")
    )
    assert ready("import", "customers", str(sheet), "--map", "nonsense")[0] == 1
    assert ready("check")[0] == 0


def test_a_new_key_comes_before_the_former_ones_and_older_seals_are_still_checked(ready, tmp_path):
    assert ready("tick")[0] == 0
    file, sheet = tmp_path / "instance" / "secret.key", tmp_path / "customers.csv"
    first = file.read_text()
    code, said, _ = ready("rotate-keys")
    assert code == 0 and "1 of former times" in said
    new, *former = keys.read(file)
    assert former == [first] and new != first and len(new) == 64 and file.stat().st_mode & 0o077 == 0
    sheet.write_text("编号,简称\n000007,宏远机械\n", encoding="utf-8-sig")
    assert ready("import", "customers", str(sheet))[0] == 0 and ready("tick")[0] == 0
    with sqlite3.connect(tmp_path / "instance" / "crm.db") as connection:
        makers = {name for (name,) in connection.execute("SELECT DISTINCT key FROM seals")}
    assert makers == {seals.Key.of(new).name, seals.Key.of(first).name}
    assert ready("audit-verify")[0] == 0
    assert "2 of former times" in ready("rotate-keys")[1] and ready("audit-verify")[0] == 0
    file.write_text(keys.read(file)[0])
    code, _, wrong = ready("audit-verify")
    assert code == 1 and wrong.count("made with another key") == 2
    (tmp_path / "kept").write_text(f"{new}\n{first}\n")
    assert ready("audit-verify", "--key", str(tmp_path / "kept"))[0] == 0


def test_a_key_of_the_environment_is_not_touched_and_it_is_said_what_to_do(ready, tmp_path):
    file = tmp_path / "instance" / "secret.key"
    before = file.read_text()
    ready.environment["CRM_SECRET_KEY"] = "mine" * 8
    code, _, wrong = ready("rotate-keys")
    assert code == 1 and "CRM_SECRET_KEY" in wrong and file.read_text() == before


def test_a_key_that_could_be_guessed_starts_nothing(ready):
    ready.environment["CRM_SECRET_KEY"] = "dev"
    code, _, wrong = ready("tick")
    assert code == 1 and "too short" in wrong


def test_migrate_begins_no_department_where_there_is_none(run, tmp_path):
    code, _, wrong = run("migrate")
    assert code == 1 and "crm init" in wrong and not (tmp_path / "instance").exists()
    run.environment["CRM_SECRET_KEY"] = "mine" * 8
    code, _, wrong = run("migrate")
    assert code == 1 and "no tables yet" in wrong and not (tmp_path / "instance" / "crm.db").exists()


@pytest.mark.parametrize("command", [["run"], ["serve", "--workers", "1"]])
def test_it_serves_says_when_the_port_is_taken_and_ends_on_one_signal(ready, command):
    port = free_port()
    environment = ready.environment | {"PORT": str(port)}
    server = subprocess.Popen(
        [CRM, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert server.poll() is None, server.stdout.read()
                time.sleep(0.2)
        taken = subprocess.run([CRM, *command], env=environment, capture_output=True, text=True)
        assert taken.returncode == 1 and f"Port {port}" in taken.stderr and len(taken.stderr.splitlines()) == 1
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(15) == 0
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)


def test_the_demo_refuses_a_database_that_is_in_use(ready):
    code, _, wrong = ready("demo")
    assert code == 1 and wrong.strip()
    assert make.PASSWORD not in wrong


INCIDENTS = ROOT / "tests" / "tickets" / "data" / "odd_incidents.csv"


def test_incidents_are_imported_with_every_refused_row_named_and_the_sums_last(ready):
    code, said, _ = ready("import", "incidents", str(INCIDENTS))
    assert code == 3 and "row 15: refused: It has no number" in said and "priority: urgent 1, high 0, normal 3, low 0" in said
    assert said.splitlines()[-1] == "created 4, updated 0, unchanged 0, refused 15"
    code, said, _ = ready("import", "incidents", "--dry-run", str(INCIDENTS))
    assert code == 3 and said.splitlines()[-1] == "created 0, updated 0, unchanged 4, refused 15"
    code, _, wrong = ready("import", "incidents", str(ROOT / "README.md"))
    assert code == 1 and "no log of incidents" in wrong and len(wrong.strip().splitlines()) == 1
    assert ready("check")[0] == 0


@pytest.mark.takes_long
def test_an_import_of_incidents_that_is_killed_goes_on_where_it_was(ready, tmp_path):
    head, row = INCIDENTS.read_text("utf-8", "replace").splitlines()[:2]
    log = tmp_path / "log.csv"
    log.write_text(
        "\n".join([head, *(row.replace("INC1,", f"INC{one:05d},") for one in range(3000))]), encoding="utf-8"
    )
    words = [CRM, "import", "incidents", str(log)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=ready.environment, cwd=tmp_path) as first:
        assert first.stdout.readline() == "200 records\n"
        first.kill()
    last = ready("import", "incidents", str(log))[1].splitlines()[-1]
    numbers = [int(part.split()[1]) for part in last.split(", ")]
    assert numbers[0] + numbers[2] == 3000 and numbers[2] >= 200 and numbers[1] == numbers[3] == 0
    assert ready("import", "incidents", str(log))[1].splitlines()[-1].startswith("created 0, updated 0, unchanged 3000")
    assert ready("check")[0] == 0


def test_check_says_a_line_for_each_thing_and_its_exit_code_says_how_it_went(run, tmp_path):
    code, said, wrong = run("check")
    assert (code, said) == (2, "") and "crm init" in wrong and len(wrong.splitlines()) == 1
    assert run("init", "--admin", "boss", typed="a long password\n")[0] == 0
    code, said, _ = run("check")
    *lines, last = said.splitlines()
    assert lines.pop().strip().startswith("no sweep yet: ")
    assert code == 0 and {line.split()[0] for line in lines} == {"ok"} and last.endswith("all well.")
    database = sqlite3.connect(tmp_path / "instance" / "crm.db")
    with database:
        database.execute("UPDATE subjects SET state = 'lost' WHERE kind = 'user'")
    database.close()
    code, said, _ = run("check")
    *lines, last = said.splitlines()
    found = [line for line in lines if not line.startswith(("ok", "     no sweep yet"))]
    assert code == 1 and last.endswith("1 not as it should be.") and len(found) == 1 and found[0].startswith("bad  every user is in one of its states: 1 not so: U")


def test_check_of_a_damaged_database_is_no_traceback(ready, tmp_path):
    path = tmp_path / "instance" / "crm.db"
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 40))
    code, said, wrong = ready("check")
    assert code in (1, 2) and "Traceback" not in wrong and "crm.durable" not in said


def test_a_backup_is_restored_elsewhere_and_each_refusal_is_one_line(ready, tmp_path):
    dest = str(tmp_path / "one.backup")
    code, said, _ = ready("backup", dest)
    assert code == 0 and "without the secret key" in said
    code, _, wrong = ready("backup", dest)
    assert code == 1 and "never overwrites" in wrong and len(wrong.splitlines()) == 1
    assert ready("restore", dest)[0] == 1, "this place is not empty"
    ready.environment["CRM_INSTANCE"] = str(tmp_path / "new")
    (tmp_path / "cut.backup").write_bytes(Path(dest).read_bytes()[:100_000])
    code, _, wrong = ready("restore", str(tmp_path / "cut.backup"))
    assert code == 1 and "no whole backup" in wrong and len(wrong.splitlines()) == 1
    code, said, _ = ready("restore", dest)
    assert code == 0 and said.splitlines()[0].startswith("Restored as of")
    assert ready("check")[0] == 0


@pytest.mark.takes_long
def test_a_backup_that_is_ended_leaves_nothing_behind(ready, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    for _ in range(5):
        made = subprocess.Popen([CRM, "backup", str(folder / "one")], env=ready.environment, stderr=subprocess.DEVNULL)
        while made.poll() is None and not list(folder.iterdir()):
            time.sleep(0.002)
        made.terminate()
        if made.wait() == 0:
            (folder / "one").unlink()  # it was done before it heard
        assert list(folder.iterdir()) == []
