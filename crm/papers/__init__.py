"""Paper forms (5.7): which are expected, in whose hands each is, where it is archived, by whom it was lost."""
