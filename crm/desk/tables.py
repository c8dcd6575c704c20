"""Every list there is."""

from crm.absences import table as absences
from crm.callbacks import table as callbacks
from crm.changes import table as changes
from crm.contracts import table as contracts
from crm.duties import table as missed
from crm.letters import table as letters
from crm.opinions import table as opinions
from crm.papers import table as papers
from crm.penalties import table as penalties
from crm.reports import table as reports
from crm.rulebooks import table as suggestions
from crm.serials import customers, numbering
from crm.serials import table as installations
from crm.staff import table as staff
from crm.tickets import table as tickets
from crm.visits import table as visits

TABLES = {
    table.key: table
    for table in (tickets.TABLE, visits.TABLE, changes.TABLE, opinions.TABLE, callbacks.TABLE, customers.TABLE, contracts.TABLE,
                  installations.TABLE, numbering.TABLE, papers.TABLE, penalties.TABLE, reports.TABLE,
                  letters.TABLE, missed.TABLE, missed.OWED, absences.TABLE, suggestions.TABLE, staff.TABLE, staff.ACCESS)
}
