from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, PasswordField, ValidationError

from crm import catalogue
from crm.forms import EMAIL, CrmForm, LineField, PickField, TicksField, needed
from crm.labels import N_, Labelled
from crm.permissions import Role

HINT = _l("At least 12 characters; a few unrelated words are best.")


class Language(Labelled):
    CHINESE = catalogue.CHINESE, N_("Chinese")
    ENGLISH = catalogue.ENGLISH, N_("English")


class LoginForm(CrmForm):
    login = LineField(
        _l("Log-in name"), required=True, most=100, render_kw={"autocomplete": "username", "autofocus": True}
    )
    password = PasswordField(_l("Password"), [needed()], render_kw={"autocomplete": "current-password"})


class CodeForm(CrmForm):
    code = LineField(
        _l("Verification code"), required=True, most=30,
        description=_l("The six digits your phone shows now, or one of your spare codes."),
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True},
    )  # fmt: skip


class ConfirmForm(CrmForm):
    present = PasswordField(_l("Present password"), [needed()], render_kw={"autocomplete": "current-password"})


class OwnForm(CrmForm):
    """What would hand another's account over asks for one's own password, unless it was given lately."""

    present = PasswordField(_l("Your own password"), [needed()], description=_l("Asked for again after ten minutes."),
                            render_kw={"autocomplete": "current-password"})  # fmt: skip


class FactorForm(ConfirmForm):
    """`sealed` holds the secret of the picture the page shows, which stands nowhere else until the phone has shown a code."""

    sealed = HiddenField()
    code = LineField(_l("Verification code"), required=True, most=30, description=_l("The six digits your phone shows now."),
                     render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"})  # fmt: skip


class WelcomeForm(CrmForm):
    password = PasswordField(
        _l("New password"), [needed()], description=HINT, render_kw={"autocomplete": "new-password"}
    )
    again = PasswordField(_l("New password once more"), [needed()], render_kw={"autocomplete": "new-password"})


class PasswordForm(ConfirmForm):
    password = PasswordField(_l("New password"), [needed()], description=HINT,
                             render_kw={"autocomplete": "new-password"})  # fmt: skip
    again = PasswordField(_l("New password once more"), [needed()], render_kw={"autocomplete": "new-password"})


DOES = {
    Role.SPECIALIST: N_("logs service records, goes on site"),
    Role.FOLLOWUP: N_("calls customers back, sends notices, logs records"),
    Role.MANAGER: N_("approves, assigns, sees what everybody owes"),
    Role.DIRECTOR: N_("owns the rulebook, decides in the manager's place"),
    Role.DEVELOPER: N_("builds changes to the software"),
    Role.ARCHIVIST: N_("keeps the papers"),
    Role.ADMIN: N_("accounts and settings; no records"),
}


class RolesField(TicksField):
    """Boxes to tick, one a role."""

    def __init__(self, label=None, **kwargs) -> None:
        super().__init__(label, **kwargs)
        self.offer((role.value, _l("%(role)s: %(does)s", role=_l(role.label), does=_l(DOES[role]))) for role in Role)

    def pre_validate(self, form) -> None:
        if not set(self.data or ()) <= set(Role):
            raise ValidationError(N_("Choose among the roles there are."))


class UserForm(CrmForm):
    title = LineField(_l("Name"), required=True, most=50)
    roles = RolesField(
        _l("Roles"),
        validators=[needed(_l("Choose at least one role."))],
        description=_l("One person may hold several; whoever asks never approves."),
    )
    phone = LineField(_l("Phone"), most=50)
    email = LineField(
        _l("E-mail"),
        most=100,
        validators=[EMAIL],
    )
    language = PickField(_l("Language"), Language, blank=_l("As the browser asks"))
    active = BooleanField(_l("May log in"), default=True)


class NewUserForm(UserForm):
    login = LineField(_l("Log-in name"), required=True, most=32, description=_l("Letters a–z, digits, dots, dashes."))
    password = PasswordField(_l("First password"), render_kw={"autocomplete": "new-password"},
                             description=_l("Best left empty: you then get a one-time link to hand over."))  # fmt: skip


class ResetForm(OwnForm):
    password = PasswordField(_l("New password"), [needed()], description=_l("To be changed at the next log-in."),
                             render_kw={"autocomplete": "new-password"})  # fmt: skip
