"""The one table from the router's faults to their answers: to a caller over HTTP, and to the consumer loop."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.router.domain.errors import (
    DecidedOtherwise,
    GraphBehind,
    GraphUnfit,
    NoGraphYet,
    NoSuchGraph,
    Recalled,
    RegistryUnavailable,
    RoundTaken,
    RouterFault,
    ToldOnce,
)
from shared.faults import Transient
from shared.http.problems import Problem, unavailable

ANSWERS: dict[type[Exception], Problem] = {
    NoGraphYet: unavailable("The agreement graph has not arrived yet."),
    GraphBehind: unavailable("A newer agreement graph is known that cannot be used yet."),
    GraphUnfit: unavailable("The agreement graph is being read anew."),
    Recalled: Problem(
        409, "recalled", "The concern was recalled; nobody was told", detail="Nothing more can be done with it."
    ),
    ToldOnce: Problem(
        409,
        "told-once",
        "A body that was withdrawn from would be told again",
        detail="Of a version a body is told once. Publish a new version of the concern, then decide on that.",
    ),
    DecidedOtherwise: Problem(
        409,
        "decided-otherwise",
        "It was decided otherwise since",
        detail="This very decision was taken, and a later one took it back. To take it again, give its own reason.",
    ),
    NoSuchGraph: Problem(
        404, "no-such-graph", "There was no graph then", detail="Ask for a version that exists, or a later moment."
    ),
    RoundTaken: Problem(
        409, "decided-meanwhile", "Somebody decided on this concern meanwhile", detail="Look at it again, then act."
    ),
    RegistryUnavailable: unavailable("The registry does not answer."),
}


class Waiting(Transient):
    """One of the router's faults, all of which pass: the batch is taken again after a pause."""


@contextmanager
def passing() -> Iterator[None]:
    """Make of the router's faults what a loop takes for a reason to wait.

    None is an alarm here, where it would be one at each try: the refresher says once that a graph cannot be used.
    """
    try:
        yield
    except RouterFault as fault:
        raise Waiting(f"{type(fault).__name__}: {fault}".rstrip(": ")) from fault
