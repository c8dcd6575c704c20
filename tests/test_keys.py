"""A rotation loses no key, and what a former key signed opens nothing."""

from pathlib import Path

import pytest

from crm import create_app, keys
from tests.conftest import apart


def test_a_cookie_signed_by_a_former_key_opens_nothing(served, browser):
    page = browser("specialist")
    folder = Path(served.config["INSTANCE"])
    keys.path(folder).write_text(served.config["SECRET_KEY"] + "\n")
    name = served.config["SESSION_COOKIE_NAME"]
    held = page.client.get_cookie(name).value

    def asked_anew() -> int:
        wanted = ("TESTING", "SQLALCHEMY_DATABASE_URI", "INSTANCE", "CRM_URL")
        client = create_app({key: served.config[key] for key in wanted} | {"SECRET_KEY": None}).test_client()
        client.set_cookie(name, held)
        return apart(client.get, "/").status_code

    assert asked_anew() == 200
    keys.rotate(folder)
    assert asked_anew() == 302


def test_a_rotation_that_was_ended_half_way_stops_the_next_and_loses_no_key(tmp_path):
    keys.make(tmp_path)
    before = keys.read(keys.path(tmp_path))
    (tmp_path / "secret.key.new").touch()
    with pytest.raises(keys.NoRotation, match="remove it"):
        keys.rotate(tmp_path)
    assert keys.read(keys.path(tmp_path)) == before
    (tmp_path / "secret.key.new").unlink()
    assert keys.rotate(tmp_path) == 1 and keys.read(keys.path(tmp_path))[1:] == before
