"""The second factor: six digits from a phone, by the clock (RFC 6238). A code is taken once."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

import pyotp
from sqlalchemy import delete, select, update

from crm import clock
from crm.db import db, rows_of
from crm.duties.record import record
from crm.errors import Forbidden, Invalid, WrongState
from crm.labels import N_
from crm.permissions import Role
from crm.staff.models import DepartmentEvent, Login, RequiredFactor, SecondFactor, User, UserEvent, UserRole
from crm.staff.workflow import department, end_logins, needs_factor, required_factors, review_factor

STEP = 30  # seconds
SPARE = 8  # codes for a day without the phone
_SPARE = re.compile(r"[a-z2-7]{10}")


def new_secret() -> str:
    return pyotp.random_base32()


def address_of(secret: str, user: User) -> str:
    """What the picture says to the phone."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name="金洋服务")


def _typed(code: str) -> str:
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).casefold()


def _step(secret: str, code: str) -> int:
    """The step a code belongs to: the present one or a neighbour's; 0 for none."""
    if not re.fullmatch(r"[0-9]{6}", code, re.ASCII):
        return 0
    now = int(clock.now().timestamp()) // STEP
    totp = pyotp.TOTP(secret)
    return next((step for step in (now, now - 1, now + 1) if pyotp.utils.strings_equal(totp.at(step * STEP), code)), 0)


def _hashed(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def takes(user_id: int, code: str) -> bool:
    """Take a code of the phone or a spare one; of any number at once one is taken, and none twice."""
    typed = _typed(code)
    own = db.session.scalar(select(SecondFactor).where(SecondFactor.user_id == user_id).with_for_update())
    if own is None:
        return False
    db.session.refresh(own)
    if _SPARE.fullmatch(typed) and _hashed(typed) in own.codes:
        own.codes = [one for one in own.codes if one != _hashed(typed)]
        return True
    step = _step(own.secret, typed)
    newer = update(SecondFactor).where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
    return bool(step) and rows_of(db.session.execute(newer.values(last_step=step))) == 1


def of(user: User) -> SecondFactor | None:
    return db.session.get(SecondFactor, user.id)


def set_up(user: User, secret: str, code: str, *, keep: Login | None = None) -> list[str]:
    """Begin to use a phone's generator, shown by a code of it; every other log-in ends. The spare codes, told this once."""
    if of(user) is not None:
        raise WrongState()
    step = _step(secret, _typed(code))
    if not step:
        raise Invalid(fields={"code": N_("This is not the code the phone shows now.")})
    spare = [pyotp.random_base32()[:10].lower() for _one in range(SPARE)]
    row = SecondFactor(user_id=user.id, secret=secret, last_step=step, since=clock.now())
    row.codes = [_hashed(one) for one in spare]
    db.session.add(row)
    user.must_enrol = False
    end_logins(user, but=keep)
    record(UserEvent.FACTOR_SET, user, by=user)
    return spare


def remove(user: User, *, by: User, keep: Login | None = None) -> None:
    """One's own unless a role needs it; another's by the administrator, when the phone is lost. Every other log-in ends."""
    if user.id == by.id and needs_factor(user.roles):
        raise Forbidden(N_("Your role needs the second factor."))
    if not rows_of(db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))):
        raise WrongState()
    review_factor(user)
    end_logins(user, but=keep)
    record(UserEvent.FACTOR_REMOVED, user, by=by)


def require(roles: Iterable[str], *, by: User) -> None:
    """The administrator's word on which roles need the second factor; whoever holds one sets it up next."""
    before, after = required_factors(), frozenset(Role(role) for role in roles)
    if before == after:
        return
    db.session.execute(delete(RequiredFactor))
    db.session.add_all(RequiredFactor(role=role) for role in after)
    db.session.flush()
    holders = select(UserRole.user_id).where(UserRole.role.in_(after))
    have = select(SecondFactor.user_id)
    for wanted, where in ((True, User.id.in_(holders)), (False, User.id.not_in(holders))):
        changed = update(User).where(where, User.id.not_in(have), User.must_enrol.is_not(wanted))
        db.session.execute(changed.values(must_enrol=wanted).execution_options(synchronize_session="fetch"))
    record(DepartmentEvent.FACTOR_REQUIRED, department(), by=by, before=sorted(before), after=sorted(after))
