"""Customer units, their contacts, and bringing them in from spreadsheets."""
