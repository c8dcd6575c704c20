"""Passwords are hashed by argon2id; nothing here knows whose they are."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# 19 MiB and two passes: as strong as advised, and a few log-ins at once stay within a worker's 150 MB
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
LEAST = 12


def hashed(password: str) -> str:
    return hasher.hash(password)


_nobody: list[str] = []


def matches(password: str, against: str | None) -> bool:
    """Whether `password` is the one; for an account that is not there it takes as long and says no."""
    if not _nobody:
        _nobody.append(hashed("nobody's password"))
    try:
        return hasher.verify(against or _nobody[0], password) and bool(against)
    except (VerificationError, InvalidHashError):
        return False
