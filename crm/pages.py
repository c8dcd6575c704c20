"""Every package's pages, as `create_app` hangs them; desk's own come by its `init_app`."""

from crm.absences import views as absences
from crm.callbacks import views as callbacks
from crm.changes import views as changes
from crm.contracts import views as contracts
from crm.customers import views as customers
from crm.duties import views as duties
from crm.files import views as files
from crm.fund import ledger
from crm.fund import views as statements
from crm.implementations import views as implementations
from crm.letters import views as letters
from crm.opinions import views as opinions
from crm.papers import views as papers
from crm.penalties import views as penalties
from crm.plans import views as plans
from crm.reports import views as reports
from crm.rulebooks import suggestions
from crm.rulebooks import views as drafts
from crm.serials import handing
from crm.serials import views as serials
from crm.staff import door, own
from crm.staff import settings as staff_settings
from crm.staff import views as staff
from crm.tickets import opening
from crm.tickets import views as tickets
from crm.visits import views as visits

_of_staff = (door, own, staff, staff_settings)
_of_work = (opening, tickets, visits, changes, opinions, callbacks, absences, penalties, statements, ledger, reports)
_of_rules = (drafts, suggestions)
_of_software = (customers, serials, handing, contracts, plans, implementations)
BLUEPRINTS = tuple(package.bp for package in (*_of_staff, duties, *_of_rules, files, letters, *_of_software, papers, *_of_work))
