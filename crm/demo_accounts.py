"""The texts of the demo department, and the accounts that open with its passwords."""

import tomllib
from importlib.resources import files
from typing import Any

from crm.staff import passwords
from crm.staff import queries as accounts

Texts = dict[str, Any]


def texts() -> Texts:
    return tomllib.loads((files(__package__) / "demo.toml").read_text(encoding="utf-8"))


def logins() -> list[str]:
    """A line for each account that opens with its demo password; if none does, one that says so."""
    hashes = {user.login: user.password_hash for user in accounts.everybody() if user.is_active}
    lines = [
        f"{login:<12} {one['password']:<22} {one['name']} {one['shown']}"
        for login, one in texts()["staff"].items()
        if login in hashes and passwords.matches(one["password"], hashes[login])
    ]
    return lines or ["Log in with your own account: this is not the demo department."]
