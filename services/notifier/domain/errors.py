"""What can be wrong at the notifier, by who must act.

NotifierFault
├── DestinationRefused   the integrator: the address of an endpoint breaks a rule of the guard (the text says which)
├── EndpointExists       the integrator: the organisation has an endpoint already
└── NothingThere         the caller: no such thing, or not for this caller

What a receiver of our deliveries meets stands in signature.py: no route of ours can raise it.
"""


class NotifierFault(Exception):
    """Base of the notifier's own faults."""


class DestinationRefused(NotifierFault):
    """An endpoint's address breaks a rule; the text names the rule."""


class EndpointExists(NotifierFault):
    """The organisation has an endpoint already, and may have one."""


class NothingThere(NotifierFault):
    """There is nothing of that id, or nothing that this caller may know of."""
