"""A real Chromium against a real server: the app in a thread, on SQLite."""

import logging
import os
import shutil
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests import make
from tests.shares import leave_out

PROGRAM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not PROGRAM:
        leave_out("browser", "no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def address(served) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complained of; each test that opens a page ends with it empty."""
    return []


def said(message) -> str:
    return f"{message.text} {message.location.get('url', '')}".strip()


@pytest.fixture
def open_page(chromium, address, complaints):
    """`open_page("specialist", "zh", 390)`: a page logged in as that person; None stays at the door."""
    contexts = []

    def opened(
        login: str | None = None, language: str = "en", width: int = 1280, scheme: str = "light", **kwargs
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 844}, locale="zh-CN" if language == "zh" else "en-US",
            color_scheme=scheme, base_url=address, **kwargs,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(said(m)) if m.type == "error" and "422" not in m.text else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if login:
            page.goto("/login")
            page.fill("[name=login]", login)
            page.fill("[name=password]", make.PASSWORD)
            page.click("button.btn-primary")
            page.wait_for_url("**/")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
