"""A second place, in which nothing is."""

import uuid
from collections.abc import Iterator

import pytest

from crm import create_app
from crm.db import db, unit_of_work
from crm.files import workflow as files
from tests import make
from tests.conftest import settings


@pytest.fixture
def elsewhere(database, request, tmp_path) -> Iterator:
    """The program on an empty database and a folder that is not there yet."""
    folder, name = tmp_path / "elsewhere", f"e_{uuid.uuid4().hex[:12]}"
    server = request.getfixturevalue("postgres") if database == "postgresql" else None
    made = create_app(settings(server.create(name) if server else f"sqlite:///{folder}/crm.db", folder))
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    if server:
        server.drop(name)


@pytest.fixture
def worked(app):
    """A place in which somebody worked: a completed record with its scan, an open one with a note, a draft of a file."""
    with unit_of_work():
        by = make.who("specialist")
        done = make.filled(make.ticket(category="data_cleanup"))
        make.tickets.complete(done, by=by)
        record = make.ticket()
        make.tickets.note(record, by=by, words="客户说明天再看")
        db.session.add(files.draft("草稿.pdf", make.PDF + b"draft", by))
    return app
