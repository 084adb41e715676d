"""One commit of the graph, as the gate makes it in its transaction: for tests of what stands behind the gate."""

from services.registry.domain.model import Change, Outcome
from services.registry.ports import Begin
from services.registry.usecases import append_change
from services.registry.usecases.commit import EMPTY
from services.registry.usecases.graph import graph_of
from shared.clock import Clock


async def commit_change(change: Change, *, begin: Begin, clock: Clock) -> Outcome:
    """Add a change to the graph, or say why not; the same change again finds everything as asked.

    Raises GraphDamaged.
    """
    async with begin() as history:
        head = await history.head() or EMPTY
        current = (await graph_of(history, head)).objects
        return await append_change(history, head, current, change, clock)
