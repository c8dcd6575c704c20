"""A rotation loses no key, and what a former key signed opens nothing."""

import os
from pathlib import Path

import pytest

from crm import create_app, keys
from tests.browsing import apart


def created(served):
    """A browser at the same place, started anew."""
    wanted = ("TESTING", "SQLALCHEMY_DATABASE_URI", "INSTANCE", "CRM_URL")
    return create_app({key: served.config[key] for key in wanted} | {"SECRET_KEY": None}).test_client()


def test_a_cookie_signed_by_a_former_key_opens_nothing(served, browser):
    page = browser("specialist")
    folder = Path(served.config["INSTANCE"])
    keys.path(folder).write_text(served.config["SECRET_KEY"] + "\n")
    name = served.config["SESSION_COOKIE_NAME"]
    held = page.client.get_cookie(name).value

    def asked_anew() -> int:
        client = created(served)
        client.set_cookie(name, held)
        return apart(client.get, "/").status_code

    assert asked_anew() == 200
    keys.rotate(folder)
    assert asked_anew() == 302
    client = created(served)
    client.set_cookie(name, held)
    answer = apart(client.post, "/customers/new", data={"name": "x"}, headers={"Referer": "http://localhost/customers/new"})
    assert answer.status_code == 302 and answer.location == "/login?next=/customers/new", "and what was typed leads there again"
    assert "Your log-in has ended" in apart(client.get, "/login", headers={"Accept-Language": "en"}).text


def test_a_rotation_that_was_ended_half_way_stops_the_next_and_loses_no_key(tmp_path):
    keys.make(tmp_path)
    before = keys.read(keys.path(tmp_path))
    (tmp_path / "secret.key.new").touch()
    with pytest.raises(keys.NoRotation, match="remove it"):
        keys.rotate(tmp_path)
    assert keys.read(keys.path(tmp_path)) == before
    (tmp_path / "secret.key.new").unlink()
    if os.geteuid() == 0:
        os.chown(keys.path(tmp_path), 12345, 12345)
    assert keys.rotate(tmp_path) == 1 and keys.read(keys.path(tmp_path))[1:] == before
    assert keys.path(tmp_path).stat().st_uid == (12345 if os.geteuid() == 0 else os.geteuid()), "it stays whose it was"


def test_of_two_rotations_at_once_neither_loses_a_key(tmp_path, monkeypatch):
    keys.make(tmp_path)
    before, read = keys.read(keys.path(tmp_path)), keys.read

    def meanwhile(file):
        with pytest.raises(keys.NoRotation):
            keys.rotate(tmp_path)
        return read(file)

    monkeypatch.setattr(keys, "read", meanwhile)
    assert keys.rotate(tmp_path) == 1 and read(keys.path(tmp_path))[1:] == before
