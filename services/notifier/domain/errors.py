"""What can be wrong at the notifier, by who must act.

NotifierFault
├── DestinationRefused   the integrator: the address of an endpoint breaks a rule of the guard (the text says which)
├── ScheduleRefused      the integrator: pauses between attempts that no endpoint may ask for (the text says why)
├── KeyRefused           the integrator: nothing can be encrypted to this key (the text says why)
├── EndpointExists       the integrator: the organisation has an endpoint of that rank already
├── NotApproved          an operator: the endpoint's host is not listed, and nobody has approved it
├── SamePerson           the operator: who registered an endpoint does not approve it
├── NotVerified          the integrator: the endpoint did not say that it wants our deliveries (the text says why)
├── AcknowledgementClash the recipient: this contradicts what it said of the notice before
├── NeverSent            the caller: a notice that was never sent cannot be sent again
├── DetailRefused        the recipient: it may not be given the rest of a notice now (the ground says why)
├── LawUnavailable       nobody: the router did not say what the agreements allow now; wait and ask again
└── NothingThere         the caller: no such thing, or not for this caller

What a receiver of our deliveries meets stands in signature.py: no route of ours can raise it.
"""

from typing import ClassVar

from services.notifier.domain.detail import Ground


class NotifierFault(Exception):
    """Base of the notifier's own faults."""


class WishRefused(NotifierFault):
    """What an endpoint asks for breaks a rule; the text names the rule, `wish` what was asked for."""

    wish: ClassVar[str]


class DestinationRefused(WishRefused):
    """Its address."""

    wish = "url"


class ScheduleRefused(WishRefused):
    """Its own pauses."""

    wish = "retry_seconds"


class KeyRefused(WishRefused):
    """The key that its messages are to be encrypted to."""

    wish = "encryption_key"


class EndpointExists(NotifierFault):
    """The organisation has an endpoint already, and may have one."""


class NotApproved(NotifierFault):
    """Nobody has said that requests may go to this endpoint's host."""


class SamePerson(NotifierFault):
    """Who registered an endpoint would approve it."""


class NotVerified(NotifierFault):
    """An endpoint did not consent; the text says what was missing."""


class AcknowledgementClash(NotifierFault):
    """A recipient's word contradicts an earlier one; the text says which."""


class NeverSent(NotifierFault):
    """A notice that was never sent, or was cancelled, cannot be sent again."""


class DetailRefused(NotifierFault):
    """A recipient may not be given the rest of a notice now; that it asked is recorded."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground.value)
        self.ground = ground


class LawUnavailable(NotifierFault):
    """What the agreements allow now cannot be known at this moment: nothing is given."""


class NothingThere(NotifierFault):
    """There is nothing of that id, or nothing that this caller may know of."""
