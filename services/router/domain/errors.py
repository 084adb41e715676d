"""Faults of the router, by what must happen next; business outcomes (held, unroutable, refused) are values.

RouterFault
├── NoGraphYet            no agreement graph has arrived: wait, nothing is lost
├── GraphUnfit            a graph does not have the root that it states: it is not used, the whole graph is read anew
└── RegistryUnavailable   the registry did not answer in time: wait
"""


class RouterFault(Exception):
    """Base of the router's own faults."""


class NoGraphYet(RouterFault):
    """There is no graph to decide on."""


class GraphUnfit(RouterFault):
    """A commit that does not follow what is here, or a graph whose root is not the one stated."""


class RegistryUnavailable(RouterFault):
    """The registry is away, too slow, or answered something that is no graph."""
