from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, UniqueConstraint, false, select, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm import clock
from crm.db import db, only
from crm.duties.models import Subject
from crm.labels import N_, Labelled
from crm.permissions import Permission
from crm.search import Entry


class UseState(Labelled):
    """How the customer uses it, as the specialist in charge knows (4.specialist.2)."""

    UNKNOWN = "unknown", N_("Not known")
    NORMAL = "normal", N_("In normal use")
    PARTLY = "partly", N_("Partly in use")
    STOPPED = "stopped", N_("No longer used")


class InstallationEvent(Labelled):
    ADDED = "installation.added", N_("added an installation")
    EDITED = "installation.edited", N_("changed the installation")
    USE_SEEN = "installation.use_seen", N_("noted the state of use")
    SERIAL_ISSUED = "installation.serial_issued", N_("issued a serial number")
    SERIAL_GIVEN = "installation.serial_given", N_("handed over the serial number")
    SERIAL_VOIDED = "installation.serial_voided", N_("found a serial number typed wrongly")
    SERIAL_IMPORTED = "installation.serial_imported", N_("imported a serial number")
    SERIAL_GIVEN_BEFORE = "installation.serial_given_before", N_("noted from a list to whom the serial number was handed")


class Product(db.Model):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    brand: Mapped[str]
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (UniqueConstraint("brand", "name"),)

    @property
    def title(self) -> str:
        return f"{self.brand} {self.name}"


class Installation(Subject):
    """A product at a customer. `state` is its state of use, `title` what it is called in lists."""

    __tablename__ = "installations"
    id: Mapped[int] = mapped_column(ForeignKey("subjects.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    edition: Mapped[str] = mapped_column(default="")
    product_version: Mapped[str] = mapped_column(default="")
    users: Mapped[int | None]
    modules: Mapped[str] = mapped_column(default="")
    installed_on: Mapped[date | None]
    use_seen_on: Mapped[date | None]
    remark: Mapped[str] = mapped_column(default="")

    product: Mapped[Product] = relationship(lazy="raise")
    periods: Mapped[list["ServicePeriod"]] = relationship(
        lazy="raise", order_by="ServicePeriod.ends_on", cascade="all, delete-orphan"
    )
    serials: Mapped[list["Serial"]] = relationship(lazy="raise", order_by="Serial.id")

    __table_args__ = (CheckConstraint("users > 0", name="users"),)
    __mapper_args__: ClassVar[dict[str, Any]] = {
        "polymorphic_identity": "installation",
        "inherit_condition": id == Subject.id,
    }
    noun = "installations"
    LASTING = True
    label = N_("Installation")
    EVENTS = InstallationEvent
    STATES = UseState
    FIELDS: ClassVar[dict[str, str | tuple[str, type]]] = {
        "title": N_("Installation"), "state": (N_("State of use"), UseState), "edition": N_("Edition"),
        "product_version": N_("Version"), "users": N_("Users"), "modules": N_("Modules"), "use_seen_on": N_("Seen on"),
        "installed_on": N_("Installed on"), "service_period": N_("Service period"), "remark": N_("Remark"),
    }  # fmt: skip

    SEARCHED = frozenset({InstallationEvent.ADDED, InstallationEvent.EDITED, InstallationEvent.SERIAL_ISSUED,
                          InstallationEvent.SERIAL_VOIDED, InstallationEvent.SERIAL_IMPORTED})  # fmt: skip

    def searched(self) -> Iterator[Entry]:
        said = "\n".join(filter(None, (self.title, self.modules, self.remark)))
        yield Entry("installation", (self.number,), "", said)
        rows = select(Serial.id, Serial.number).where(Serial.installation_id == self.id).order_by(Serial.id)
        for id, number in db.session.execute(rows):  # rows of their own: not everybody finds them
            yield Entry("serial", (called(number),), "", "", ref=id)

    def handed_over(self, by) -> None:
        """A serial number of it is with the customer; what that settles, a package above says."""

    @property
    def period(self) -> "ServicePeriod | None":
        """The last service period agreed."""
        return self.periods[-1] if self.periods else None

    @property
    def running(self) -> "ServicePeriod | None":
        """The one that goes on today, else the last one that ended, else the first to come."""
        begun = [one for one in self.periods if one.starts_on <= clock.today()]
        return begun[-1] if begun else self.coming

    @property
    def coming(self) -> "ServicePeriod | None":
        """The next one that is agreed and has not begun."""
        return next((one for one in self.periods if one.starts_on > clock.today()), None)

    @property
    def following(self) -> "ServicePeriod | None":
        """What comes after the running one."""
        return self.coming if self.coming is not self.running else None

    @classmethod
    def visible(cls, user) -> ColumnElement[bool]:
        return true() if user.may(Permission.CUSTOMER_READ) else false()


class Standing(Labelled):
    """How firmly a period stands: a signed customer is not expired (5.2.7), a withheld one is not served (D2)."""

    SETTLED = "settled", N_("In force")
    SIGNED = "signed", N_("Signed, not yet paid")
    WITHHELD = "withheld", N_("Withheld")


class ServicePeriod(db.Model):
    """From when to when an installation is served (5.2.1), both days included; agreed on by a contract, if one is known."""

    __tablename__ = "service_periods"
    id: Mapped[int] = mapped_column(primary_key=True)
    installation_id: Mapped[int] = mapped_column(ForeignKey("installations.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    remark: Mapped[str] = mapped_column(default="")
    standing: Mapped[str] = mapped_column(default=Standing.SETTLED)
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"), index=True)
    entered_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # who typed it; None: agreed on, or from a file

    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="order"),
        CheckConstraint("standing IN ('settled', 'signed', 'withheld')", name="standing"),
        Index("ix_service_periods_installation_id", "installation_id", "ends_on"),
    )


VOID = " void"  # after a number that was typed wrongly: no number has a blank, and another may be issued it


def called(number: str) -> str:
    """The number itself, though it is void."""
    return number.partition(VOID)[0]


def masked(number: str) -> str:
    """What others see of a serial number than those who hand it out (C7)."""
    return f"{'•' * 6}{number[-2:]}"


class Serial(db.Model):
    """A serial number ever issued (5.6.2, 5.6.4): each stays on record, the last one of an installation is not replaced. One
    that was typed wrongly is void: replaced by itself."""

    __tablename__ = "serials"
    id: Mapped[int] = mapped_column(primary_key=True)
    installation_id: Mapped[int] = mapped_column(ForeignKey("installations.id"), index=True)
    number: Mapped[str] = mapped_column(unique=True)  # one owner
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    users: Mapped[int | None]
    issued_on: Mapped[date]
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))  # None: came with a file
    given_on: Mapped[date | None]
    given_to_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("subjects.id"))
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("serials.id"))

    __table_args__ = (
        CheckConstraint("starts_on <= ends_on", name="order"),
        CheckConstraint("users > 0", name="users"),
        CheckConstraint("number <> ''", name="number"),
        CheckConstraint("(given_on IS NULL) = (given_to_id IS NULL)", name="given"),
        Index("uq_serials_in_use", "installation_id", unique=True, **only("replaced_by_id IS NULL")),
    )


IN_ORDER = (Serial.issued_on, Serial.starts_on, Serial.ends_on, Serial.id)  # as they were issued
