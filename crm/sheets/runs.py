"""An import from the page: a draft file, what it would become, and its batches, each a request of its own."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select

from crm import clock
from crm.db import db
from crm.errors import Invalid, NotThere
from crm.files import queries as files
from crm.files import store
from crm.files.models import File
from crm.files.workflow import DRAFTS_LIVE
from crm.files.workflow import draft as new_draft
from crm.labels import N_
from crm.sheets.kinds import Kind
from crm.sheets.models import ImportRun
from crm.sheets.plan import BATCH, Plan
from crm.sheets.reading import OLD, ZIP, Table


def read(kind: Kind, name: str, content: bytes) -> None:
    """Read a file once, and keep what it says for the pages to come; Invalid if it is no table. Takes its time: call it
    while no transaction is open."""
    table = kind.plan.table_of(content, name)
    kind.plan.of(table, name, {})
    _keep(_kept(kind, hashlib.sha256(content).hexdigest()), table)


def _folder() -> Path:
    return Path(current_app.config["INSTANCE"]) / "read"


def _kept(kind: Kind, sha256: str) -> Path:
    """Which sheet of a file counts depends on the kind of list."""
    return _folder() / f"{kind.noun}-{sha256}.json"


def _keep(path: Path, table: Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{secrets.token_hex(4)}")
    part.write_text(json.dumps([table.name, table.rows], ensure_ascii=False), encoding="utf-8")
    part.replace(path)


def forget(as_of: datetime) -> int:
    """A sweep's step: what was read of files whose drafts are gone."""
    old = [path for path in _folder().glob("*")
           if datetime.fromtimestamp(path.stat().st_mtime, UTC) < as_of - DRAFTS_LIVE]  # fmt: skip
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def upload(kind: Kind, name: str, content: bytes, owner) -> File:
    """A table that was read, as its owner's draft."""
    file = new_draft(_fitting(name, content), content, owner, kind.purpose)
    db.session.add(file)
    db.session.flush()
    return file


def _fitting(name: str, content: bytes) -> str:
    """The name with the ending that its content deserves: files are kept only under such."""
    known = {OLD: ("xls",), ZIP: ("xlsx",)}
    endings = next((endings for head, endings in known.items() if content.startswith(head)), ("csv", "txt"))
    stem, _dot, ending = name.rpartition(".")
    return name if ending.lower() in endings else f"{stem or name}.{endings[0]}"


def draft(kind: Kind, key: str, owner) -> File:
    """One's own file that waits to be imported."""
    for file in files.drafts([key], owner):
        if file.purpose == kind.purpose:
            return file
    raise NotThere()


def plan_of(kind: Kind, file: File, mapping: Mapping[str, str]) -> Plan:
    return _plan(kind, file.sha256, file.name, tuple(sorted(mapping.items())))


@lru_cache(maxsize=1)  # the batches of one file follow each other; what it holds is its SHA-256
def _plan(kind: Kind, sha256: str, name: str, mapping: tuple[tuple[str, str], ...]) -> Plan:
    path, known = store.path_of(sha256), _kept(kind, sha256)
    if not path.exists():
        raise NotThere()
    if not known.exists():  # swept, or left behind by a restore
        read(kind, name, path.read_bytes())
    title, rows = json.loads(known.read_text(encoding="utf-8"))
    return kind.plan.of(Table(title, [(number, cells) for number, cells in rows]), name, dict(mapping))


def find(kind: Kind, key: str, owner) -> ImportRun | None:
    mine = ImportRun.key == key, ImportRun.owner_id == owner.id
    return db.session.scalar(select(ImportRun).where(*mine, ImportRun.kind == kind.noun))


def last(kind: Kind, owner) -> list[ImportRun]:
    """One's own last imports, the newest first."""
    mine = select(ImportRun).where(ImportRun.owner_id == owner.id, ImportRun.kind == kind.noun)
    return list(db.session.scalars(mine.order_by(ImportRun.id.desc()).limit(10)))


def start(kind: Kind, file: File, mapping: Mapping[str, str], owner) -> ImportRun:
    """Nothing is imported yet; Invalid unless the columns are there that are needed, and rows."""
    plan = plan_of(kind, file, mapping)
    plan.check()
    if not plan.lines:
        raise Invalid(N_("%(name)s holds no rows below its header."), name=file.name)
    run = ImportRun(
        kind=kind.noun, key=file.key, owner_id=owner.id, name=file.name, mapping=dict(mapping), total=len(plan.lines),
        started_at=clock.now(),
    )  # fmt: skip
    db.session.add(run)
    db.session.flush()
    return run


def go_on(kind: Kind, run: ImportRun, position: int, by) -> None:
    """The batch that begins at `position`, if that is where the import is: sent twice it counts once."""
    db.session.refresh(run, with_for_update=True)
    if run.position != position or run.finished_at:
        return
    lines = _lines(kind, run, by)[position : position + BATCH]
    part = kind.take(lines, by=by, file=run.name)
    changes: dict[str, Any] = {
        "position": position + len(lines), "created": run.created + part.created,
        "updated": run.updated + part.updated, "unchanged": run.unchanged + part.unchanged,
        "refused": run.refused + [[number, reason.message, reason.params] for number, reason in part.refused],
    }  # fmt: skip
    if changes["position"] == run.total:
        changes["finished_at"] = clock.now()
        _plan.cache_clear()
    for name, value in changes.items():
        setattr(run, name, value)
    db.session.flush()


def _lines(kind: Kind, run: ImportRun, by):
    try:
        return plan_of(kind, draft(kind, run.key, by), run.mapping).lines
    except NotThere as missing:  # drafts are swept after two days
        fault = N_("The file is no longer kept: send it again. What is imported already stays and is left unchanged.")
        raise Invalid(fault) from missing
