"""A span of time in words."""

from flask_babel import ngettext

from crm.workdays import Span


def said(span: Span) -> str:
    """In the reader's language: `3个工作日`, `3 working days`."""
    n = abs(span.count)
    if span.unit == "m" and n and n % 60 == 0:
        return ngettext("%(num)s hour", "%(num)s hours", n // 60)
    words = {
        "m": lambda: ngettext("%(num)s minute", "%(num)s minutes", n),
        "working hour": lambda: ngettext("%(num)s working hour", "%(num)s working hours", n),
        "working day": lambda: ngettext("%(num)s working day", "%(num)s working days", n),
        "day": lambda: ngettext("%(num)s day", "%(num)s days", n),
        "week": lambda: ngettext("%(num)s week", "%(num)s weeks", n),
        "month": lambda: ngettext("%(num)s month", "%(num)s months", n),
        "year": lambda: ngettext("%(num)s year", "%(num)s years", n),
    }  # fmt: skip
    return words[span.unit]()
