"""Who leads: what concerns a manager or the director themselves is somebody else's to decide."""

from sqlalchemy import select

from crm.db import db
from crm.permissions import Role
from crm.staff.models import UserRole


def role_of_lead(user_id: int | None) -> str:
    """`director` or `manager` for one who leads, else nothing."""
    if user_id is None:
        return ""
    roles = set(db.session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
    return next((str(role) for role in (Role.DIRECTOR, Role.MANAGER) if role in roles), "")
