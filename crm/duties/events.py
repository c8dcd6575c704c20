"""What the spine itself has events of, and the states of an edition."""

from crm.labels import N_, Labelled


class EditionState(Labelled):
    UNCONFIRMED = "unconfirmed", N_("Our defaults to be confirmed")
    CONFIRMED = "confirmed", N_("Confirmed")
    WITHDRAWN = "withdrawn", N_("Taken back before it held")


class DutyEvent(Labelled):
    """Events any subject may have."""

    BREACHED = "duty.breached", N_("the deadline passed")
    REPRICED = "duty.repriced", N_("found that a missed duty is one that is fined")
    MORE_TIME_ASKED = "duty.more_time_asked", N_("asked for more time")
    MORE_TIME_GRANTED = "duty.more_time_granted", N_("granted more time")
    MORE_TIME_REFUSED = "duty.more_time_refused", N_("refused more time")
    CLAIMED = "duty.claimed", N_("took it on")
    RELEASED = "duty.released", N_("gave it back")
    HANDED_OVER = "duty.handed_over", N_("handed over what is owed")


class EditionEvent(Labelled):
    ISSUED = "rulebook.issued", N_("issued the rulebook")
    WITHDRAWN = "rulebook.withdrawn", N_("took the rulebook back before it held")
    CONFIRMED = "rulebook.confirmed", N_("confirmed the department's defaults")
    PRESENTED = "rulebook.presented", N_("presented the rulebook")
    ACKNOWLEDGED = "rulebook.acknowledged", N_("acknowledged the rulebook")
