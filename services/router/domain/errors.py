"""Faults of the router, by what must happen next; business outcomes (held, unroutable, refused) are values.

RouterFault
├── NoGraphYet            no agreement graph has arrived: wait, nothing is lost
├── GraphBehind           a newer graph is known than the one in office: wait until it, or a later one, can be used
├── GraphUnfit            a graph that does not follow, lacks its root or cannot be read: the whole graph is read anew
├── RegistryUnavailable   the registry did not answer in time: wait
├── Recalled              the originator took the concern back: nobody is told of it any more
├── ToldOnce              who was told of the withdrawal of a version would be told of it again: a later version can
├── NoSuchGraph           no graph is known of that version or moment: ask for another
├── DecidedOtherwise      the very same act was taken back by a later one: it is taken again with a reason of its own
└── RoundTaken            somebody else opened the next round of a concern meanwhile: look again, then act
"""


class RouterFault(Exception):
    """Base of the router's own faults."""


class NoGraphYet(RouterFault):
    """There is no graph to decide on."""


class GraphBehind(RouterFault):
    """A graph is known that is newer than the one in office; nothing is decided on an old graph."""


class GraphUnfit(RouterFault):
    """A commit that does not follow what is here, or a graph that cannot be read or lacks the root that it states."""


class Recalled(RouterFault):
    """Nothing more is decided on a concern that was recalled."""


class ToldOnce(RouterFault):
    """Bodies, by name, that were told of a version and of its withdrawal: of that version they are told no more."""


class DecidedOtherwise(RouterFault):
    """A repeat, word for word, of an act that stands no more: whether it came late or is meant, nobody can tell."""


class NoSuchGraph(RouterFault):
    """There was no graph at that version or moment."""


class RoundTaken(RouterFault):
    """The round that was to be opened is there already; nothing was changed."""


class RegistryUnavailable(RouterFault):
    """The registry is away, too slow, or answered something that is no graph."""
