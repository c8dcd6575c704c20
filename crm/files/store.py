"""The bytes: each under its SHA-256 below the instance's `files/`, written whole or not at all."""

import hashlib
import os
import tempfile
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
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix="part-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    return sha256


def path_of(sha256: str) -> Path:
    return _path(sha256)


def remove(sha256: str) -> None:
    """Remove bytes no row names, unless somebody sent them again within the last hour."""
    path = _path(sha256)
    if path.exists() and clock.now().timestamp() - path.stat().st_mtime > 3600:
        path.unlink(missing_ok=True)
