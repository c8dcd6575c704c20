"""The command that brings in a list of one kind."""

import sys
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask

from crm.importing import IN_PART
from crm.sheets.kinds import Kind


def of(kind: Kind, app: Callable[[], Flask]) -> click.Command:
    @click.command(kind.noun, help=kind.says, short_help=f"{kind.title} from .xls, .xlsx or .csv.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--dry-run", is_flag=True, help="say what would happen, change nothing")
    @click.option("--map", "mapped", multiple=True, metavar="COLUMN=field", help="what an unknown column is")
    def bring(file: Path, dry_run: bool, mapped: tuple[str, ...]) -> None:
        if bad := [pair for pair in mapped if "=" not in pair]:
            raise ValueError(f"--map wants COLUMN=field, not {bad[0]!r}")
        mapping = dict(pair.rsplit("=", 1) for pair in mapped)
        with app().app_context():
            result = kind.run(file.read_bytes(), file.name, mapping, dry_run=dry_run, say=click.echo)
        if result.refused:
            sys.exit(IN_PART)

    return bring
