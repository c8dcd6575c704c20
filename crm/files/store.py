"""The bytes: each under its SHA-256 below the instance's `files/`, written whole or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path

from flask import current_app


def _path(sha256: str) -> Path:
    return Path(current_app.config["INSTANCE"]) / "files" / sha256[:2] / sha256


def put(content: bytes) -> str:
    """Keep the bytes; their SHA-256. The same bytes are kept once."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = _path(sha256)
    if not path.exists():
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
    _path(sha256).unlink(missing_ok=True)
