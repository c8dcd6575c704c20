"""Lists in spreadsheets: what a file says, what it would become, and bringing it in, whatever kind of list it is."""
