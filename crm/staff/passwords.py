"""Passwords are hashed by argon2id; nothing here knows whose they are."""

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm.errors import Invalid
from crm.labels import N_

# 9 MiB and four passes, of the settings that are advised as equally strong the one by which log-ins stay within a worker's
# 150 MB; what was made with others is made anew at its next log-in
hasher = PasswordHasher(time_cost=4, memory_cost=9 * 1024, parallelism=1)
LEAST, MOST = 12, 200
GUESSES = 3  # of 4: beyond what a thief of the hashes would try
LOOKED_AT = 40  # letters
EASY = N_("Too easy to guess: a few unrelated words are better.")
LEAST_BESIDES = 6  # letters of a password that are no name
OURS = ("jinyang", "jinyang-crm", "service crm")  # what this program is called is guessed first
# Each sign that may stand for a letter doubles the readings zxcvbn tries: those nobody takes for anything else are read
# beforehand, and 40 letters take it 30 ms at most instead of a second.
_SIGNS = str.maketrans("@$+!|{[<", "astiiccc")


@functools.cache
def _guesses() -> Callable[..., dict[str, Any]]:
    """zxcvbn with its lists of words, 12 MB: for the few workers in which somebody chooses a password."""
    from zxcvbn import zxcvbn

    return zxcvbn


def hashed(password: str) -> str:
    return hasher.hash(password)


def renewed(password: str, against: str) -> str:
    """A new hash of a right password, if the old one was made otherwise than they are now."""
    return hashed(password) if hasher.check_needs_rehash(against) else ""


def chosen(password: str, words: Iterable[str]) -> str:
    """The hash of a new password; Invalid if it is none to choose. It takes long: no unit of work is open meanwhile."""
    if wrong := fault(password, words):
        raise Invalid(fields={"password": wrong})
    return hashed(password)


_nobody: list[str] = []


def matches(password: str, against: str | None) -> bool:
    """Whether `password` is the one; for an account that is not there it takes as long and says no."""
    if not _nobody:
        _nobody.append(hashed("nobody's password"))
    try:
        return hasher.verify(against or _nobody[0], password) and bool(against)
    except (VerificationError, InvalidHashError):
        return False


def fault(password: str, names: Iterable[str]) -> str:
    """What is wrong with a new password, or nothing. Length and guessing count; kinds of characters do not."""
    if len(password) < LEAST:
        return N_("At least 12 characters.")
    if len(password) > MOST:
        return N_("At most 200 characters.")
    if len(_rest(password, names)) < LEAST_BESIDES:
        return EASY
    guessed = _guesses()(password[:LOOKED_AT].translate(_SIGNS), user_inputs=[*OURS, *(name for name in names if name)])
    return "" if guessed["score"] >= GUESSES else EASY


def _rest(password: str, names: Iterable[str]) -> str:
    """What of a password is neither a name known of the account, said once or more, nor the program's."""
    known = sorted({*OURS, *names} - {""}, key=len, reverse=True)
    some = [re.escape(one.casefold()) for one in known if len(one) > 2 or not one.isascii()]
    return re.sub(rf"{'|'.join(some)}|[\W_]", "", password.casefold())
