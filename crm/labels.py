"""Words for people: markers for gettext, enums that carry their label, texts that stand in both languages."""

import enum
from collections.abc import Mapping
from typing import Self

Bilingual = Mapping[str, str]  # {"zh": …, "en": …}, as the rulebook's data has it


def N_(msgid: str) -> str:
    """Mark a text for translation where it stands; it is translated where it is shown."""
    return msgid


class Labelled(enum.StrEnum):
    """`WAITING = "waiting", N_("Waiting")`: the value is stored, the label is shown."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label or value
        return member

    @classmethod
    def known(cls, value: str) -> Self | None:
        """The member of a value, if there is one."""
        return cls._value2member_map_.get(value)  # type: ignore[return-value]


class Priority(Labelled):
    URGENT = "urgent", N_("Urgent")
    HIGH = "high", N_("High")
    NORMAL = "normal", N_("Normal")
    LOW = "low", N_("Low")


def said(text: Bilingual, language: str) -> str:
    """One language of a bilingual text, `language` being a locale such as `zh_Hans_CN` or `en`."""
    return text["en"] if language.startswith("en") else text["zh"]
