"""Who leads: what concerns a manager or the director themselves is somebody else's to decide."""

from collections.abc import Collection

from sqlalchemy import select

from crm.db import db
from crm.permissions import Role
from crm.staff.models import User, UserRole, UserState


def role_of_lead(user_id: int | None) -> str:
    """`director` or `manager` for one who leads, else nothing."""
    if user_id is None:
        return ""
    roles = set(db.session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
    return next((str(role) for role in (Role.DIRECTOR, Role.MANAGER) if role in roles), "")


def others_with(role: Role, than: Collection[int | None]) -> list[int]:
    """Who holds a role, is active, and is none of these."""
    holds = select(UserRole.user_id).join(User, User.id == UserRole.user_id)
    active = holds.where(UserRole.role == role, User.state == UserState.ACTIVE).order_by(User.id)
    return [id for id in db.session.scalars(active) if id not in than]
