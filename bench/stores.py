"""Filled databases that are kept under build/bench between runs: PostgreSQL with its data on the disk for certain
(fsync on), and SQLite files. Sizes are counts of service records."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tests.postgres as postgres
from bench.places import Place

HOME = Path(__file__).parents[1] / "build/bench"
SETTINGS = {
    "listen_addresses": "", "unix_socket_permissions": "0700", "port": postgres.PORT, "max_connections": 200,
    "shared_buffers": "2GB", "effective_cache_size": "6GB", "work_mem": "16MB", "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB", "checkpoint_timeout": "15min", "random_page_cost": "1.1", "autovacuum": "on",
}  # fmt: skip


class KeptCluster(postgres.Cluster):
    """One whose data stay under `home`; only its socket is in a temporary folder, for a socket's path must be short."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.home = home

    def start(self) -> "KeptCluster":
        self.folder = Path(tempfile.mkdtemp(prefix="crm-bench-", dir=postgres.FOLDERS[-1]))
        data = self.home / "data"
        data.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, *postgres._account())
            shutil.chown(data, *postgres._account())
        (self.folder / "data").symlink_to(data)
        if not any(data.iterdir()):
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        settings = SETTINGS | {"unix_socket_directories": self.folder}
        lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        (data / "postgresql.auto.conf").write_text(lines)
        self._run("pg_ctl", "-w", "-t", "120", "-l", str(self.folder / "log"), "start")
        return self

    def stop(self) -> None:
        if self.folder is not None:
            self._run("pg_ctl", "-w", "-t", "120", "-m", "fast", "stop")
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def has(self, name: str) -> bool:
        with postgres.psycopg.connect(host=str(self.folder), port=postgres.PORT, user="postgres") as connection:
            return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone())


@contextmanager
def stores(kind: str, sizes: list[int], fill) -> Iterator[dict[int, Place]]:
    """A place of each size, filled by `fill(place, size)` unless a finished one is there from before."""
    cluster = KeptCluster(HOME / "postgresql").start() if kind == "postgresql" else None
    try:
        yield {size: _store(kind, size, cluster, fill) for size in sizes}
    finally:
        if cluster:
            cluster.stop()


def _store(kind: str, size: int, cluster: KeptCluster | None, fill) -> Place:
    name = f"crm_{size}"
    folder = HOME / f"{kind}-{size}"
    done = folder / "filled"
    if cluster is None:
        place = Place(folder, f"sqlite:///{folder}/crm.db", lambda: None)
    else:
        place = Place(folder, cluster.url_of(name), lambda: cluster.drop_database(name))
    if done.exists() and (cluster is None or cluster.has(name)):
        return place
    place.remove()
    if cluster:
        cluster.create_database(name, "template0")
    fill(place, size)
    done.touch()
    return place
