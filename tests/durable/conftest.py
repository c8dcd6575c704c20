"""A place in which somebody worked."""

import pytest

from crm.db import db, unit_of_work
from crm.files import workflow as files
from tests import make


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
