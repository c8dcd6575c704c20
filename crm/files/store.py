"""The bytes: each under its SHA-256 below the instance's `files/`, written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from flask import current_app

from crm import clock


def _path(sha256: str) -> Path:
    return Path(current_app.config["INSTANCE"]) / "files" / sha256[:2] / sha256


def put(content: bytes) -> str:
    """Keep the bytes; their SHA-256. The same bytes are kept once."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = _path(sha256)
    if path.exists():
        os.utime(path)  # wanted again: a sweep that was about to remove it lets it be
    else:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            sync(path.parent.parent)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix="part-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        sync(path.parent)
    return sha256


def sync(folder: Path) -> None:
    """Make names just given in a folder outlive a power cut."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read(sha256: str) -> bytes | None:
    """The bytes; None if they are not there, or not what they were."""
    try:
        content = _path(sha256).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def hold(sha256: str) -> None:
    """Keep the bytes for an hour at least, though no row may name them by then."""
    with suppress(FileNotFoundError):
        os.utime(_path(sha256))


def every() -> Iterator[Path]:
    """All that lies in the store, and parts of what was never finished."""
    folder = Path(current_app.config["INSTANCE"]) / "files"
    return (path for path in folder.glob("*/*") if path.is_file())


def path_of(sha256: str) -> Path:
    return _path(sha256)


def remove(sha256: str) -> None:
    """Remove bytes no row names, unless somebody sent them again within the last hour."""
    path = _path(sha256)
    if path.exists() and clock.now().timestamp() - path.stat().st_mtime > 3600:
        path.unlink(missing_ok=True)
