"""The English catalogue says what the msgids say: fill in what is new, so that it is complete like the Chinese one."""

from pathlib import Path

from babel.messages.pofile import read_po, write_po

PATH = Path(__file__).parents[1] / "crm/translations/en/LC_MESSAGES/messages.po"

with PATH.open("rb") as file:
    catalogue = read_po(file, locale="en")
for message in catalogue:
    if message.id:
        message.string = message.id
with PATH.open("wb") as file:
    write_po(file, catalogue, width=120, no_location=True)
