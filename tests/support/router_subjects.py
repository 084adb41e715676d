"""Concerns about subjects, decided and followed on any store."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.router.domain.model import Concern, ItemQuery, Recall, WorkItem
from services.router.domain.policy import CurrentJudge
from services.router.usecases import Desk, Followed, follow_concerns, route_concerns
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import InMemoryRouter, a_concern, judging

RECOGNISABLE = small.pact(small.clause(frm=["alpha", "gamma"], fields={"registrant": "full"}))
GENERALISED = small.pact(small.clause(frm=["alpha", "gamma"]))


def about(
    number: int, name: str = "t", *, by: str = "alpha", day: int = 0, version: int = 1, **routing: Any
) -> Concern:
    """A concern about the registrant whose token this is, received on a day after the first."""
    received = (NOON + timedelta(days=day)).isoformat()
    subjects = [{"kind": "registrant", "tokens": [{"kid": "k", "token": name}]}]
    stated = {"originator": by, "received_at": received, "source_type": "staff", "subjects": subjects}
    return a_concern(number, version=version, **{**stated, **routing})


@dataclass(slots=True)
class Watch:
    """A router with a store, in which concerns are decided and then followed."""

    store: Any = field(default_factory=InMemoryRouter)
    current: CurrentJudge = field(default_factory=lambda: judging(RECOGNISABLE))
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOON + timedelta(days=200)))

    @property
    def desk(self) -> Desk:
        return Desk(self.current, self.store.begin, self.clock)

    async def decide(self, *concerns: Concern | Recall) -> None:
        await route_concerns(Batch(concerns, ()), current=self.current, ledger=self.store, clock=self.clock)

    async def follow(self) -> Followed:
        return await follow_concerns(self.desk)

    async def take(self, *concerns: Concern) -> Sequence[WorkItem]:
        """Decide and follow them; gives what they suggest."""
        await self.decide(*concerns)
        return (await self.follow()).suggested

    async def suggestions(self) -> Sequence[WorkItem]:
        found: Sequence[WorkItem] = await self.store.work_items(ItemQuery(self.clock.now(), 100, "correlation"))
        return found


def taken(current: CurrentJudge, concerns: Sequence[Concern]) -> Watch:
    """A watch that took these in, outside of any event loop."""
    watch = Watch(current=current)
    asyncio.run(watch.take(*concerns))
    return watch
