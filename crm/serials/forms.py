from flask_babel import lazy_gettext as _l

from crm.forms import CountField, CrmForm, DayField, LineField, PickField, ReasonForm, WordsField
from crm.serials.models import Installation, UseState


class InstallationForm(CrmForm):
    brand = LineField(_l("Brand"), required=True, most=50, render_kw={"list": "brands"})
    product_name = LineField(_l("Product"), required=True, most=100, render_kw={"list": "products"})
    edition = LineField(_l("Edition"), most=50, description=_l("Such as standard or professional."))
    product_version = LineField(_l("Version"), most=50)
    users = CountField(_l("Users"), least=1)
    modules = WordsField(_l("Modules"), most=1000)
    installed_on = DayField(_l("Installed on"))
    starts_on = DayField(_l("Service period from"))
    ends_on = DayField(_l("Service period to"), description=_l("The last day served."))
    period_reason = LineField(_l("Why the period changes"), most=500,
                              description=_l("Needed where one stands here already (5.2.1)."))  # fmt: skip
    use = PickField(_l("State of use"), UseState, default=UseState.UNKNOWN)
    use_seen_on = DayField(_l("State of use seen on"), description=_l("Left empty: today."))
    remark = WordsField(_l("Remark"), most=2000)

    def words(self) -> dict:
        left_out = ("version", "request_id", "brand", "product_name")
        return {name: field.data for name, field in self._fields.items() if name not in left_out}

    def agreed(self) -> None:
        """A contract agrees on the period: it is not set here."""
        for name in ("starts_on", "ends_on", "period_reason"):
            del self[name]


def values_of(installation: Installation) -> dict:
    """What the form shows of an installation."""
    period = installation.period
    return {
        "brand": installation.product.brand, "product_name": installation.product.name, "use": installation.state,
        "starts_on": period and period.starts_on, "ends_on": period and period.ends_on,
    }  # fmt: skip


class IssueForm(CrmForm):
    number = LineField(_l("Serial number"), required=True, most=60)
    users = CountField(_l("Users"), least=1)
    starts_on = DayField(_l("First day"), required=True)
    ends_on = DayField(_l("Last day"), required=True, description=_l("As a rule the last day of the service period (5.6.4)."))


class VoidForm(ReasonForm):
    serial = PickField(_l("Which one"), required=True, blank=_l("Choose the number"))


class GiveForm(CrmForm):
    to = PickField(_l("Handed to"), required=True, blank=_l("Choose the contact"))
    on = DayField(_l("Handed over on"), required=True)
