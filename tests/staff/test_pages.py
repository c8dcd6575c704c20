"""What the pages of accounts ask of a browser."""

import re

import pytest

from crm.staff import queries
from crm.staff.forms import CodeForm


@pytest.mark.parametrize("path", ["/staff/new", "/staff/U0001", "/settings/access"])
def test_nobody_needs_every_role(app, browser, path):
    boxes = re.findall(r'<input[^>]*name="roles"[^>]*>', browser("admin").get(path).text)
    assert len(boxes) == 7 and not any("required" in box for box in boxes)


def test_a_spare_code_can_be_typed_on_a_phone(app):
    with app.test_request_context():
        assert "inputmode" not in CodeForm().code()


def test_the_access_log_offers_whoever_ever_came_in(app):
    assert {person.name for person in queries.entered()} >= {"张伟", "周敏"}
