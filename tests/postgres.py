"""A PostgreSQL of the tests' own, on a socket in a temporary folder and gone afterwards.

with Cluster() as cluster:
    engine = create_engine(cluster.url)
"""

import atexit
import fcntl
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

# A socket's path may have 107 bytes, so never under TMPDIR. A database for each test is many small files: in memory where
# there is plenty, for a busy disk takes ten times as long.
FOLDERS, PREFIX, PLENTY = (Path("/dev/shm"), Path("/tmp")), "crm-pg-", 4 << 30
PORT = 5432
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": PORT,
    "max_connections": 200,
    "shared_buffers": "128MB",
    # A crash may lose everything: it is thrown away anyhow.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "256MB",
    "autovacuum": "off",
}


def programs() -> Path | None:
    """The folder of initdb, pg_ctl and postgres: the PATH's, else the newest that Debian keeps off it."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    for folder in [*([Path(on_path).resolve().parent] if on_path else []), *debian]:
        if all((folder / name).is_file() for name in ("initdb", "pg_ctl", "postgres")):
            return folder
    return None


def _version(folder: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", folder.parent.name)]


def available() -> bool:
    return programs() is not None


class Cluster:
    """`start()` takes about half a second; one for each test process is enough."""

    def __init__(self) -> None:
        self.folder: Path | None = None

    def __enter__(self) -> "Cluster":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}&port={PORT}"

    def start(self) -> "Cluster":
        _remove_orphans()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_roomy()))
        atexit.register(self.stop)
        self._lock = _lock(self.folder / "lock")
        if os.geteuid() == 0:
            shutil.chown(self.folder, *_account())
        try:
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
            with (self.folder / "data/postgresql.conf").open("a") as conf:
                settings = SETTINGS | {"unix_socket_directories": self.folder}
                conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
            self._run("pg_ctl", "-w", "-t", "60", "-l", str(self.folder / "log"), "start")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        if self.folder is None:
            return
        with suppress(RuntimeError):  # it never started, or is down already
            self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)
        self.folder = None
        atexit.unregister(self.stop)

    def create_database(self, name: str, template: str = "template1") -> str:
        """A new database, or a copy of `template` if nobody is connected to that; its URL."""
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, template)
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), name)

    def _execute(self, statement: sql.SQL, *names: str) -> None:
        with psycopg.connect(
            host=str(self.folder), port=PORT, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.format(*map(sql.Identifier, names)))

    def _run(self, program: str, *args: str) -> None:
        command = [str(programs() / program), "-D", str(self.folder / "data"), *args]
        environ = {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C.UTF-8"}
        who = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            user, group = _account()
            who = {"user": user, "group": group, "extra_groups": []}
        done = subprocess.run(
            command, cwd=self.folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, **who
        )
        if done.returncode:
            log = self.folder / "log"
            raise RuntimeError(f"{program}: {done.stderr.strip()}\n{log.read_text()[-2000:] if log.exists() else ''}")


class Server:
    """A PostgreSQL: the one TEST_POSTGRES_URL names, or a throw-away cluster."""

    def __init__(self, url: str, cluster: Cluster | None = None) -> None:
        self.url, self.cluster = make_url(url), cluster
        self._engine = create_engine(self.url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)

    def _say(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))

    def create(self, name: str, template: str = "") -> str:
        model = f'"{template}"{self._by_files()}' if template else "template0 ENCODING 'UTF8'"
        self._say(f'CREATE DATABASE "{name}" TEMPLATE {model}')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def _by_files(self) -> str:
        """Cheaper than by the log where nothing waits for the disk, as in the throw-away cluster."""
        return " STRATEGY FILE_COPY" if self.cluster and self._engine.dialect.server_version_info >= (15,) else ""

    def drop(self, name: str) -> None:
        self._say(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _roomy() -> Path:
    memory, disk = FOLDERS
    free = shutil.disk_usage(memory).free if os.access(memory, os.W_OK) else 0
    return memory if free > PLENTY else disk


def _account() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise RuntimeError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _lock(file: Path) -> int:
    """Held until this process ends, however it ends; BlockingIOError while another holds it."""
    handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    return handle


def _remove_orphans() -> None:
    """Clusters whose tests were killed. A server that loses its folder stops by itself within a minute."""
    for folder in (folder for place in FOLDERS for folder in place.glob(f"{PREFIX}*")):
        with suppress(OSError):
            if (folder / "lock").exists() and time.time() - folder.stat().st_mtime > 60:
                os.close(_lock(folder / "lock"))
                shutil.rmtree(folder, ignore_errors=True)
