"""Faults of intake: what a caller may not say.

IntakeFault
├── NotTheOriginator      the concern is another organisation's
├── NotTheFirstVersion    a concern that is new has version 1
├── Contended             others keep writing to the same concern
├── HistoricNotAllowed    this deployment takes no `received_at`
├── HistoricNotEntitled   this client may not state `received_at`
└── ReceivedInTheFuture   the stated `received_at` has not come yet

That the same key holds other content is no fault but an outcome: `Clash` in model.py.
"""


class IntakeFault(Exception):
    """Base of what intake refuses after the form was found right."""


class NotTheOriginator(IntakeFault):
    """The originator named is not the organisation that the caller acts for."""


class NotTheFirstVersion(IntakeFault):
    """A concern is submitted as version 1; later versions have a route of their own."""


class Contended(IntakeFault):
    """Each time that this was tried, another step of the same concern was first."""


class HistoricNotAllowed(IntakeFault):
    """The concern states when it was received, and the deployment has that turned off."""


class HistoricNotEntitled(IntakeFault):
    """The concern states when it was received, and the caller lacks the scope for it."""


class ReceivedInTheFuture(IntakeFault):
    """The concern says that it was received later than now."""
