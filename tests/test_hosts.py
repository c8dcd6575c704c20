"""Which names the program answers to, and whose word on addresses counts."""

import pytest

from crm import create_app
from tests.models import settings


@pytest.fixture
def at(tmp_path):
    return lambda **config: create_app(settings(f"sqlite:///{tmp_path}/x.db", tmp_path) | config).test_client()


@pytest.mark.parametrize(
    "host", ["evil.example", "crm.example.com.evil.example", "crm.example.com@evil", "crm.example.com:80@evil", "", " "]
)
def test_another_name_is_not_answered(at, host):
    client = at(CRM_URL="https://crm.example.com")
    assert client.get("/healthz", headers={"Host": host}).status_code == 400
    assert client.get("/healthz", headers={"Host": "crm.example.com"}).status_code == 200


def test_further_names_are_listed(at):
    client = at(CRM_URL="https://crm.example.com", HOSTS="10.0.0.5, crm.local")
    for host in ("10.0.0.5:8000", "crm.local", "crm.example.com"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.7")])
def test_only_our_own_proxies_say_where_somebody_is(at, proxies, seen):
    client = at(CRM_URL="", PROXIES=proxies)
    got = []
    client.application.before_request_funcs.setdefault(None, []).insert(0, lambda: got.append(_address()))
    client.get("/healthz", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    assert got == [seen]


def _address() -> str:
    from flask import request

    return request.remote_addr or ""


def test_cookies_are_secure_under_https_alone(at):
    for url, secure in (("https://crm.example.com", True), ("http://192.168.1.5:8000", False), ("", False)):
        client = at(CRM_URL=url)
        assert client.application.config["SESSION_COOKIE_SECURE"] is secure
