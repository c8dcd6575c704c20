"""A backup is one tar file: the database, the stored files, and last of all the manifest that says what belongs in it."""

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from crm import clock

FORMAT = 1
DATABASE, KEY, ANCHORS = "database", "secret.key", "anchors.log"
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
HASH = re.compile(r"[0-9a-f]{64}")
BLOCK = 1024 * 1024
LONGEST = 64 * BLOCK  # bytes of a manifest: a third of a million files


class NotDone(RuntimeError):
    """The backup or the restore was refused, or undone; one line says why."""


@dataclass
class Manifest:
    """What a backup holds. `lost` are hashes of files whose bytes were not there any more when it was made."""

    format: int
    made_at: str
    program: str  # its version
    revision: str  # of the tables
    database: str  # sqlite or postgresql
    counts: dict[str, int]  # rows by table
    members: dict[str, dict[str, Any]] = field(default_factory=dict)  # name in the tar file → sha256, size
    lost: list[str] = field(default_factory=list)

    @property
    def files(self) -> dict[str, str]:
        """Hash → name in the tar file, of the stored files."""
        return {name.rpartition("/")[2]: name for name in self.members if name.startswith("files/")}


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder to work in, closed to others and gone afterwards, also if a signal ends the work at any point."""
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except BaseException:  # the signal came just now
            shutil.rmtree(folder, ignore_errors=True)
            raise


def file_name(sha256: str) -> str:
    return f"files/{sha256[:2]}/{sha256}"


class _Counted:
    """A file being read, with the hash of what was read so far."""

    def __init__(self, file) -> None:
        self.file, self.sha256, self.size = file, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        block = self.file.read(size)
        self.sha256.update(block)
        self.size += len(block)
        return block


def add(archive: tarfile.TarFile, manifest: Manifest, name: str, file, size: int) -> None:
    """Put `size` bytes of `file` into the backup and name them in its manifest."""
    info, counted = tarfile.TarInfo(name), _Counted(file)
    info.size, info.mode = size, 0o600
    archive.addfile(info, counted)  # type: ignore[arg-type]
    manifest.members[name] = {"sha256": counted.sha256.hexdigest(), "size": counted.size}


def seal(archive: tarfile.TarFile, manifest: Manifest) -> None:
    """The manifest and its own hash, last: what was cut off has neither."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
    if len(text) > LONGEST:  # nobody would read it
        raise NotDone(f"There are too many files for one backup: its manifest would have {len(text)} bytes")
    for name, content in ((MANIFEST, text), (SEAL, hashlib.sha256(text).hexdigest().encode())):
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        archive.addfile(info, io.BytesIO(content))


@contextmanager
def opened(source: Path) -> Iterator[tuple[tarfile.TarFile, Manifest]]:
    """A backup and its manifest; NotDone if it is none, or not a whole one."""
    try:
        with tarfile.open(source, "r:") as archive:
            yield archive, _read(archive)
    except (tarfile.TarError, EOFError, KeyError, ValueError, TypeError) as broken:
        why = (str(broken).splitlines() or [type(broken).__name__])[0][:200]
        raise NotDone(f"{source} is no whole backup: {why}") from broken


def _read(archive: tarfile.TarFile) -> Manifest:
    """Anybody may have written it: nothing in it is believed before it was looked at."""
    names = archive.getnames()
    if names[-2:] != [MANIFEST, SEAL]:
        raise ValueError("its end is missing")
    if any(not member.isreg() or member.issparse() for member in archive):  # so none is longer than it is in the file
        raise ValueError("it holds what is no plain file")
    text, said = (_content(archive, name) for name in (MANIFEST, SEAL))
    if hashlib.sha256(text).hexdigest().encode() != said:
        raise ValueError("its manifest was changed")
    manifest = _understood(text)
    if sorted(names[:-2]) != sorted(manifest.members):
        raise ValueError("it does not hold what its manifest names")
    return manifest


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None or archive.getmember(name).size > LONGEST:
        raise ValueError(f"{name} is too long")
    return file.read()


def _understood(text: bytes) -> Manifest:
    try:
        written = json.loads(text)
    except RecursionError:
        raise ValueError("its manifest is nested too deep") from None
    if not isinstance(written, dict) or written.get("format") != FORMAT:
        known = written.get("format") if isinstance(written, dict) else None
        raise ValueError(f"its format is {known!r}, this version reads {FORMAT}")
    manifest = Manifest(**{one.name: written[one.name] for one in fields(Manifest)})
    if not _well_made(manifest):
        raise ValueError("its manifest does not say what a manifest says")
    if datetime.fromisoformat(manifest.made_at).year not in clock.YEARS:
        raise ValueError("its manifest was made at no time")
    return manifest


def _well_made(made: Manifest) -> bool:
    """Whether every value is of its kind."""
    words = (made.made_at, made.program, made.revision, made.database)
    return (
        all(isinstance(one, str) and one.isprintable() for one in words)
        and isinstance(made.counts, dict) and all(type(count) is int for count in made.counts.values())
        and isinstance(made.lost, list) and all(isinstance(one, str) for one in made.lost)
        and isinstance(made.members, dict) and all(map(_is_member, made.members.values()))
    )  # fmt: skip


def _is_member(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("sha256"), str) and type(one.get("size")) is int


def unpack(archive: tarfile.TarFile, manifest: Manifest, folder: Path) -> None:
    """Write every member below `folder`, each under a name of ours; ValueError at the first that is not as it was."""
    for name, wanted in manifest.members.items():
        if name not in (DATABASE, KEY, ANCHORS) and not (
            HASH.fullmatch(wanted["sha256"]) and name == file_name(wanted["sha256"])
        ):
            raise ValueError(f"{name} does not belong in a backup")
        file = archive.extractfile(name)
        if file is None:
            raise ValueError(f"{name} is not a file")
        path, counted = folder / name, _Counted(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as to:
            while block := counted.read(BLOCK):
                to.write(block)
        if (counted.sha256.hexdigest(), counted.size) != (wanted["sha256"], wanted["size"]):
            raise ValueError(f"{name} was changed")
