"""The `crm` command in a process of its own that need not load the program first: forked from one that has.

It is the same process a shell would start, with its own environment, folder, input, output and exit code; loading takes
most of a second, which tests would pay for each command.
"""

import io
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["crm.cli", __name__])


def crm(words: tuple[str, ...], typed: str, environment: Mapping[str, str], folder: Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    with tempfile.TemporaryDirectory() as place:
        streams = [str(Path(place, name)) for name in ("in", "out", "err")]
        Path(streams[0]).write_text(typed, encoding="utf-8")
        child = _context.Process(target=_command, args=(words, streams, dict(environment), str(folder)))
        child.start()
        child.join()
        code = child.exitcode or 0
        child.close()
        said = [Path(one).read_text(encoding="utf-8") if Path(one).exists() else "" for one in streams[1:]]
    return code, *said


def _command(words: tuple[str, ...], streams: list[str], environment: dict[str, str], folder: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in enumerate(streams):
        handle = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(os.fdopen(number, mode, closefd=False), encoding="utf-8", line_buffering=number == 2)
        for number, mode in ((0, "rb"), (1, "wb"), (2, "wb"))
    )  # fmt: skip
    sys.argv = ["crm", *words]
    from crm.cli import main

    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
