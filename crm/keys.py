"""The keys of an instance, a line each in a file of its own. The first signs cookies and seals events; those below it are of
former times: older seals are checked with them, and nothing else is."""

import os
import secrets
from pathlib import Path
from typing import TextIO

NAME, SHORTEST = "secret.key", 32


class NoRotation(RuntimeError):
    """The key stays as it is; the message says why and what to do."""


def path(instance: Path) -> Path:
    return instance / NAME


def read(file: Path) -> tuple[str, ...]:
    """The keys in a file, the newest first; none where there is no file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return tuple(filter(None, map(str.strip, lines)))


def make(instance: Path) -> None:
    """A key of this instance's own, readable to nobody else; one that is there stays."""
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database and the files are nobody else's, too
    if not path(instance).exists():
        with _begun(path(instance)) as out:
            _keep(out, (_new(),))


def rotate(instance: Path) -> int:
    """Put a new key before those there are, all of it or nothing, and give how many are of former times now (SECURITY C14).
    NoRotation if there is no key, or another rotation has begun."""
    if not path(instance).exists():
        raise NoRotation(f"There is no {path(instance)}: run `crm init --admin LOGIN` first.")
    beside = instance / f"{NAME}.new"
    try:
        with _begun(beside) as out:  # whoever has it is alone, and reads the others only then
            held = read(path(instance))
            if hasattr(os, "chown"):  # where root rotates them, for the account the program runs under
                os.chown(beside, path(instance).stat().st_uid, path(instance).stat().st_gid)
            _keep(out, (_new(), *held))
    except FileExistsError:
        raise NoRotation(f"{beside} is there: the keys are being rotated, or that was ended half-way; then remove it.") from None
    os.replace(beside, path(instance))
    return len(held)


def _new() -> str:
    return secrets.token_hex(32)


def _begun(file: Path) -> TextIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")


def _keep(out: TextIO, keys: tuple[str, ...]) -> None:
    out.write("\n".join(keys))
    out.flush()
    os.fsync(out.fileno())
