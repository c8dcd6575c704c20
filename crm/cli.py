"""The `crm` command: thin calls, one clear line for what goes wrong."""

import getpass
import logging
import os
import sys
import threading
from datetime import timedelta
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from crm import NotSetUp, clock, create_app, demo, keys, serve, sweep
from crm.db import db, unit_of_work
from crm.desk import search as desk_search
from crm.desk.imports import KINDS
from crm.durable import commands as durable
from crm.durable import snapshots
from crm.durable.manifest import NotDone
from crm.duties import anchors, editions
from crm.duties import rulebook as rules
from crm.duties import workflow as duties
from crm.duties.queries import issued
from crm.errors import Invalid, Refused
from crm.importing import IN_PART
from crm.letters import workflow as letters
from crm.migrating import behind, migrate
from crm.permissions import Role
from crm.sheets import command as sheets
from crm.staff import passwords
from crm.staff import queries as staff
from crm.staff import workflow as accounts
from crm.tickets import history

PORT = click.option("--port", type=click.IntRange(1, 65535), envvar="PORT", default=8000, show_default=True, show_envvar=True)


class Failed(click.ClickException):
    """One line on standard error, exit code 1."""

    def show(self, file=None) -> None:
        click.echo(self.message, err=True)


def _filled(refusal: Refused) -> str:
    return refusal.message % refusal.params if refusal.params else refusal.message


def said(refusal: Refused) -> str:
    """A refusal in plain English, for a terminal."""
    fields = getattr(refusal, "fields", {})
    words = [] if fields and refusal.message == Invalid().message else [_filled(refusal)]
    for name, wrong in fields.items():
        words.append(f"{name}: {said(wrong) if isinstance(wrong, Refused) else wrong}")
    return " ".join(words)


def app(*, ready: bool = True) -> Flask:
    """The program on the database the environment names, its tables checked."""
    made = create_app()
    if ready:
        with made.app_context():
            if wrong := behind():
                raise Failed(wrong)
            db.session.rollback()
    return made


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def crm() -> None:
    """The service department's program."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _prepare(*, new: bool = True) -> Flask:
    """The instance folder, its key, and the newest tables with the shipped rulebook in them; unless `new`, nothing is begun."""
    if new:
        keys.make(Path(os.environ.get("CRM_INSTANCE", "instance")).absolute())
    made = app(ready=False)
    with made.app_context():
        fresh = not snapshots.present()
        if fresh and not new:
            raise Failed("There are no tables yet: `crm init --admin LOGIN` makes them, or CRM_INSTANCE names another place.")
        migrate()
        if fresh:
            anchors.begin()
        desk_search.catch_up()  # what stood there before there was a search
        with unit_of_work():
            if not issued():
                duties.issue_shipped()
            letters.issue_shipped()
    return made


@crm.command()
@click.option("--admin", required=True, metavar="LOGIN", help="the first administrator's log-in name")
@click.option("--name", default="管理员", help="how the administrator is called")
def init(admin: str, name: str) -> None:
    """Make the database and the first administrator."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if sys.stdin.isatty() and getpass.getpass("Once more: ") != password:
        raise Failed("The two are not the same.")
    made = _prepare()
    hash = passwords.chosen(password, (accounts.login_name(admin), name))
    with made.app_context(), unit_of_work():
        if staff.anybody():
            raise Failed("There are accounts already; the administrator adds more under /staff.")
        accounts.add_user(admin, name, [Role.ADMIN], hash, must_change=False)  # it is their own from the start
    click.echo(f"Ready. Start `crm serve` and `crm worker`, then log in as {admin}.")


@crm.command("migrate")
def migrate_() -> None:
    """Bring the database to this version's tables."""
    _prepare(new=False)
    click.echo("The database is up to date.")


@crm.command("demo")
def demo_() -> None:
    """Fill an empty database with a department of a year's work."""
    with _prepare().app_context():
        _demo()


def _demo() -> None:
    """All of it or nothing: one unit of work."""
    with unit_of_work():
        demo.fill(lambda line: click.echo(line, err=True))
        duties.see_notices_before(clock.now() - timedelta(days=3))  # nobody begins with a year of them


@crm.command()
@PORT
def run(port: int) -> None:
    """Try it: set up, fill with the demo on the first start, serve with the sweep beside it."""
    host = os.environ.get("CRM_HOST", "127.0.0.1")
    serve.end_quietly()
    serve.check_port(host, port)
    made = _prepare()
    with made.app_context():
        with unit_of_work(read_only=True):
            empty = not staff.anybody()
        if empty:
            click.echo("First start: making the demo department (a minute at most) ...")
            _demo()
        with unit_of_work(read_only=True):
            shown = "".join(f"\n  {line}" for line in demo.logins())
    click.echo(f"\n  http://{host}:{port}\n{shown}\n\n  Ctrl-C ends it.\n")
    serve.one_process(made, host, port, beside=lambda stop: sweep.work(made, stop))


@crm.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@PORT
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
def serve_(host: str, port: int, workers: int) -> None:
    """Serve for real use; `crm worker` runs beside it."""
    serve.check_port(host, port)
    app()
    serve.many_workers(app, host, port, workers)


@crm.command()
def worker() -> None:
    """Sweep for ever: mark what was missed, tidy up."""
    serve.end_quietly()
    made = app()
    click.echo(f"Sweeping every {sweep.PAUSE} seconds; Ctrl-C ends it.", err=True)
    sweep.work(made, threading.Event())


@crm.command()
@click.option("--as-of", metavar="TIME", help="as if it were then; Shanghai time unless it names an offset")
def tick(as_of: str | None) -> None:
    """One sweep; says what it did, one line a kind; exit code 1 if a step failed."""
    try:
        at = clock.parse(as_of) if as_of else None
    except ValueError as wrong:
        raise Failed(f"{as_of!r} is no time: write it as 2026-11-24T18:30") from wrong
    if at and at > clock.now():
        click.echo(f"{as_of} has not come yet: what this sweep marks as missed stays marked.", err=True)
    with app().app_context():
        swept = sweep.tick(at)
    for name, count in swept.items():
        click.echo(f"{name}: {count}")
    if swept.failed:
        raise Failed("\n".join(f"{name}: failed, see the log" for name in swept.failed))


@crm.command()
def reindex() -> None:
    """Fill the search anew, while others work."""
    with app().app_context():
        click.echo(f"{desk_search.rebuild()} subjects can be found.")


for command in (durable.backup, durable.restore, durable.check, durable.audit_verify, durable.rotate_keys):
    crm.add_command(command)


@crm.group("import")
def import_() -> None:
    """Bring in what other programs have."""


for kind in KINDS:
    import_.add_command(sheets.of(kind, app))


@import_.command("incidents")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="say what would happen, change nothing")
def import_incidents(file: Path, dry_run: bool) -> None:
    """A service desk's event log, .csv or .csv.gz, as history."""
    with app().app_context():
        report = history.run(file, dry_run=dry_run, say=click.echo)
    if report.refused:
        sys.exit(IN_PART)


@crm.group()
def rulebook() -> None:
    """The editions of the department's rulebook."""


@rulebook.command("show")
@click.argument("number", required=False)
def rulebook_show(number: str | None) -> None:
    """An edition's text; without a NUMBER, the list of editions and the text that holds today."""
    with app().app_context():
        every = issued()
        for one in every:
            click.echo(f"{one.number}  from {clock.local(one.holds_from):%Y-%m-%d}  {one.state}", err=True)
        holds = [one for one in every if one.number == number or (not number and one.holds_from <= clock.now())]
        if not holds:
            raise Failed(f"There is no edition {number}.")
        click.echo(holds[0].body)


@rulebook.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def rulebook_check(file: Path) -> None:
    """Read FILE as an edition and name every fault."""
    with app(ready=False).app_context():
        book = duties.check_rulebook(file.read_text(encoding="utf-8"))
    click.echo(f"Good: {len(book.clauses)} clauses, {len(book.rules)} duties, {len(book.categories)} categories.")


@rulebook.command("new")
def rulebook_new() -> None:
    """What the shipped rulebook asks for and the newest edition does not: nothing is carried out that no edition names."""
    with app().app_context():
        newest = issued()[0]
        lacking = editions.book(newest.id).lacks(editions.shipped())
    for table, key, title in lacking:
        click.echo(f'[{table}."{key}"]  {title["zh"]}  {title["en"]}')
    click.echo(f"{newest.number} lacks {len(lacking) or 'nothing'}.", err=True)


@rulebook.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "day", required=True, metavar="DATE", help="the first day on which it holds")
def rulebook_add(file: Path, day: str) -> None:
    """Issue FILE as an edition that holds from DATE; everybody is asked to acknowledge it."""
    with app().app_context(), unit_of_work():
        edition = duties.issue_edition(file.read_text(encoding="utf-8"), clock.parse(day))
        accounts.present_to_all(edition)
        click.echo(f"{edition.number} holds from {clock.local(edition.holds_from):%Y-%m-%d}.")


@crm.group("workdays")
def workdays_() -> None:
    """The working calendar."""


@workdays_.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def workdays_import(files: tuple[Path, ...]) -> None:
    """The yearly notices of holidays and make-up days, as JSON."""
    with app().app_context(), unit_of_work():
        for file in files:
            click.echo(f"{file.name}: {accounts.take_notice(file.read_text(encoding='utf-8'))} days")


def main() -> None:
    """What goes wrong in a way we know is one line, not a traceback."""
    try:
        crm()
    except Refused as refusal:
        sys.exit(said(refusal))
    except (NotSetUp, NotDone, keys.NoRotation, serve.PortTaken, rules.RulebookError, ValueError, UnicodeDecodeError) as wrong:
        sys.exit(str(wrong))
    except SQLAlchemyError as wrong:
        logging.getLogger("crm").debug("database", exc_info=True)
        sys.exit(f"The database refused: {str(wrong).splitlines()[0]}")
