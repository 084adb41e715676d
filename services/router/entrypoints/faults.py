"""The one table from the router's faults to their answers: to a caller over HTTP, and to the consumer loop."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.router.domain.errors import GraphUnfit, NoGraphYet, RegistryUnavailable, RouterFault
from shared.faults import Transient
from shared.http.problems import Problem, unavailable
from shared.telemetry import Telemetry

ANSWERS: dict[type[Exception], Problem] = {
    NoGraphYet: unavailable("The agreement graph has not arrived yet."),
    GraphUnfit: unavailable("The agreement graph is being read anew."),
    RegistryUnavailable: unavailable("The registry does not answer."),
}


class Waiting(Transient):
    """One of the router's faults, all of which pass: the batch is taken again after a pause."""


@contextmanager
def passing(telemetry: Telemetry) -> Iterator[None]:
    """Make of the router's faults what a loop takes for a reason to wait.

    All but the first wait for a graph are an alarm: commits do not fit, and no graph that does can be had.
    """
    try:
        yield
    except RouterFault as fault:
        if not isinstance(fault, NoGraphYet):
            telemetry.alarm("graph-unfit", fault=type(fault).__name__, detail=str(fault))
        raise Waiting(f"{type(fault).__name__}: {fault}".rstrip(": ")) from fault
