"""Serving: gunicorn on Linux, waitress elsewhere and for `make run`; a taken port is one clear line."""

import ctypes
import ctypes.util
import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import waitress
from flask import Flask

if sys.platform == "linux":
    from gunicorn.app.base import BaseApplication as Application
else:
    Application = None

LARGEST = 40 * 1024 * 1024  # bytes of one request; the app itself answers 413 below that
PATIENCE = 0.25  # seconds


def return_memory() -> None:
    """Let glibc give large blocks back at once and keep few arenas: a log-in's hash needs 9 MiB for a moment only."""
    libc = ctypes.util.find_library("c")
    if sys.platform == "linux" and libc and hasattr(ctypes.CDLL(libc), "mallopt"):
        mallopt = ctypes.CDLL(libc).mallopt
        mallopt(-3, 1024 * 1024)  # M_MMAP_THRESHOLD: larger blocks are mapped, and unmapped when freed
        mallopt(-8, 2)  # M_ARENA_MAX


def keep_what_stands() -> None:
    """What there is now lives as long as the process, and need not be looked through for what can be freed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def in_turns(app: Flask) -> Flask:
    """Ready to serve."""
    keep_what_stands()
    app.wsgi_app = Turns(app.wsgi_app)  # type: ignore[method-assign]
    return app


class Turns:
    """One request at a time of a process computes: threads of one interpreter only get in each other's way, and together
    take a fifth longer (docs/scale.md). Whoever waited for `PATIENCE` goes in all the same, so that a long export, a slow
    upload or a locked database holds nobody else up."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app, self.turn = app, threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        mine = self.turn.acquire(timeout=PATIENCE)
        try:
            return self.app(environ, start_response)
        finally:
            if mine:
                self.turn.release()


class PortTaken(RuntimeError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Port {port} on {host} is taken. Stop what runs there, or choose another: PORT={port + 1}")


def check_port(host: str, port: int) -> None:
    """PortTaken if somebody listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            raise PortTaken(host, port) from taken


def end_quietly() -> None:
    """From here on Ctrl-C and SIGTERM end the program without a word; what is half done is rolled back."""

    def end(_signal, _frame) -> None:
        raise SystemExit(0)

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, end)


def one_process(app: Flask, host: str, port: int, *, beside: Callable[[threading.Event], None]) -> None:
    """Serve until Ctrl-C, with `beside` in a thread; both end together."""
    return_memory()
    stop = threading.Event()
    helper = threading.Thread(target=beside, args=(stop,), daemon=True)
    helper.start()
    try:
        waitress.serve(in_turns(app), host=host, port=port, threads=8, ident=None, max_request_body_size=LARGEST)
    finally:
        stop.set()
        helper.join(5)


def many_workers(make: Callable[[], Flask], host: str, port: int, workers: int) -> None:
    """gunicorn's own processes, each making the app for itself, so that none shares a connection; else waitress."""
    if Application is None:
        waitress.serve(in_turns(make()), host=host, port=port, threads=8, ident=None, max_request_body_size=LARGEST)
        return
    Server(make, {"bind": f"{host}:{port}", "workers": workers, "worker_class": "gthread", "threads": 4,
                  "timeout": 60, "graceful_timeout": 20, "control_socket_disable": True}).run()  # fmt: skip


if Application is not None:

    class Server(Application):
        def __init__(self, make: Callable[[], Flask], options: dict) -> None:
            self.make, self.options = make, options
            super().__init__()

        def load_config(self) -> None:
            for key, value in self.options.items():
                self.cfg.set(key, value)

        def load(self) -> Flask:
            return_memory()
            return in_turns(self.make())
