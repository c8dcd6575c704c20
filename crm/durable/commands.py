"""`crm backup`, `crm restore`, `crm check`, `crm audit-verify` and `crm rotate-keys`."""

import os
import secrets
import sys
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from crm import NotSetUp, clock, create_app, keys
from crm.db import unit_of_work
from crm.durable import backup as backups
from crm.durable import checks
from crm.durable import restore as restores
from crm.durable.manifest import NotDone
from crm.duties import seals
from crm.migrating import behind


def _app() -> Flask:
    """The program, its tables looked at."""
    made = create_app()
    with made.app_context():
        if wrong := behind():
            raise NotDone(wrong)
    return made


def _check() -> None:
    results = []
    for result in checks.run():
        click.echo(str(result))
        results.append(result)
    for line in checks.swept() or ["no sweep yet: nothing that falls due is marked until `crm worker` or `crm tick` runs"]:
        click.echo(f"     {line}")
    bad = sum(result.mark != checks.OK for result in results)
    click.echo(f"{len(results)} looked at, {bad} not as it should be." if bad else f"{len(results)} looked at: all well.")
    sys.exit(checks.exit_code(results))


@click.command()
@click.argument("dest", type=click.Path(path_type=Path))
@click.option("--with-key", is_flag=True, help="the secret key, too: guard such a backup like the key itself")
@click.option("--anyway", is_flag=True, help="though bytes of stored files are lost")
def backup(dest: Path, with_key: bool, anyway: bool) -> None:
    """Everything into the one new file DEST, while others work; whole, or not there."""
    backups.end_cleanly()
    with _app().app_context():
        made = backups.make(dest, with_key=with_key, anyway=anyway)
    key = "with the secret key" if with_key else "without the secret key (--with-key takes it along)"
    click.echo(f"{dest}: {sum(made.counts.values())} rows, {len(made.files)} files, {key}.")
    if made.lost:
        raise NotDone(f"The bytes of {len(made.lost)} files are not in it: they are lost.")


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(source: Path) -> None:
    """Make an empty place what SOURCE, a backup, holds; all of it or nothing. Then check it."""
    backups.end_cleanly()
    with create_app({"SECRET_KEY": secrets.token_hex(32)}).app_context():
        made = restores.restore(source)
        at = clock.local(clock.parse(made.made_at))
        click.echo(f"Restored as of {at:%Y-%m-%d %H:%M:%S}: {sum(made.counts.values())} rows, {len(made.files)} files.")
        click.echo("Every log-in is ended and every one-time link void; passwords, second factors and spare codes are as then.")
        _check()


@click.command()
def check() -> None:
    """Look whether all is as it should be; exit code 0 well, 1 something found, 2 not all could be looked at."""
    try:
        made = _app()
    except (NotDone, NotSetUp, SQLAlchemyError) as wrong:
        click.echo(str(wrong).splitlines()[0], err=True)
        sys.exit(2)
    with made.app_context():
        _check()


@click.command("rotate-keys")
def rotate_keys() -> None:
    """A new secret key; those of before are kept for the seals they made. Start server and worker anew afterwards."""
    instance = Path(create_app().config["INSTANCE"])
    if os.environ.get("CRM_SECRET_KEY"):
        raise NotDone(f"The key is CRM_SECRET_KEY: add it to {keys.path(instance)}, a line of its own, and set another.")
    former = keys.rotate(instance)
    click.echo(f"A new key, {former} of former times. Start the server and the worker anew; everybody logs in again then.")


@click.command("audit-verify")
@click.option("--key", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="a file with secret keys of former times that are not in this place's own")  # fmt: skip
def audit_verify(files: tuple[Path, ...]) -> None:
    """Whether the events are as they were when they were sealed; exit code 1 if not."""
    with _app().app_context(), unit_of_work(read_only=True):
        found = seals.verify(seals.Key.of(key) for file in files for key in keys.read(file))
    plain = f" ({found.plain} without a key)" if found.plain else ""
    click.echo(f"sealed {found.sealed}{plain}, waiting {found.waiting}, anchors {found.anchors}, head {found.head or '—'}")
    for fault in found.faults:
        click.echo(fault, err=True)
    if found.faults:
        sys.exit(1)
    click.echo("All that is sealed is as it was.")
