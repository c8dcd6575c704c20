"""Seeded defects: each takes one check out of a copy of the program, and the tests named beside it must notice.

`make mutants`, or `python tools/mutants.py WORD` for those whose file or text holds the word; `127-` begins with that one.
On SQLite, unless a defect says otherwise. A defect whose text is not there, once, is an error: the list is kept as the
program changes; `--there` looks at that alone, as `make lint` does."""

import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("crm", "templates", "migrations", "tests", "config.py", "pyproject.toml", "bench", "tools")
LIMIT = 300  # seconds for one defect's tests
WHOLE = os.environ | {"CRM_TURNS": "none"}  # every case of a test on either database
AT_ONCE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def defects() -> list[dict]:
    return tomllib.loads((ROOT / "tools" / "mutants.toml").read_text())["defect"]


def stale(defect: dict) -> bool:
    return (ROOT / defect["file"]).read_text().count(defect["old"]) != 1


def copy(to: Path) -> None:
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to / name)


def tried(tree: Path, tests: tuple[str, ...], k: str) -> str:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests, "-k", k]
    try:
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=LIMIT, env=WHOLE)
    except subprocess.TimeoutExpired:
        return "late"
    return {0: "passed", 1: "failed", 5: "no tests"}.get(done.returncode, "failed to start\n" + done.stdout[-1000:])


_before: dict[tuple, str] = {}
_turns: dict[tuple, threading.Lock] = defaultdict(threading.Lock)


def before(tree: Path, *asked) -> str:
    """A test that is red anyhow notices nothing: each is seen green first, once."""
    with _turns[asked]:
        if asked not in _before:
            _before[asked] = tried(tree, *asked)
    return _before[asked]


def caught(tree: Path, defect: dict) -> str:
    """`failed` is as it should be; `passed` means that nobody noticed; also `late`, `no tests`, `failed before`."""
    asked = tuple(defect["tests"]), defect.get("k") or "not postgresql"
    if (without := before(tree, *asked)) != "passed":
        return without if without == "no tests" else f"{without} before"
    path = tree / defect["file"]
    whole = path.read_text()
    path.write_text(whole.replace(defect["old"], defect["new"], 1))
    try:
        return tried(tree, *asked)
    finally:
        path.write_text(whole)


def main(words: list[str]) -> int:
    every = defects()
    gone = [one for one in every if stale(one)]
    for one in gone:
        print(f"stale: {one['file']}: {one['old']!r} does not stand there once", file=sys.stderr)
    if gone:
        return 2
    if words == ["--there"]:
        return 0
    first = next((int(word[:-1]) for word in words if word[:-1].isdigit() and word.endswith("-")), 1)
    words = [word for word in words if word != f"{first}-"]
    chosen = [one for one in every if all(word in one["file"] + one["old"] + one["what"] for word in words)][first - 1 :]
    counts: dict[str, list[dict]] = {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        Path(folder, "shared").symlink_to(ROOT.parent / "shared")  # the real data lie beside a checkout
        trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(AT_ONCE):
            copy(Path(folder, str(number)))
            trees.put(Path(folder, str(number)))

        def done(defect: dict) -> tuple[str, float]:
            tree, began = trees.get(), time.monotonic()
            try:
                return caught(tree, defect), time.monotonic() - began
            finally:
                trees.put(tree)

        for number, (one, (result, took)) in enumerate(zip(chosen, pool.map(done, chosen), strict=True), first):
            counts.setdefault(result, []).append(one)
            print(f"{number}/{len(chosen) + first - 1} {result} {one['file']}: {one['what']} ({took:.0f} s)", flush=True)
    survivors = [(result, one) for result, ones in counts.items() if result != "failed" for one in ones]
    print(f"{len(chosen)} defects, {len(chosen) - len(survivors)} caught")
    for result, one in survivors:  # late is not caught: the machine may have been busy
        print(f"{'late' if result == 'late' else 'survived'}: {one['file']}: {one['what']}")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
