"""P21 as a machine: any people with any roles take any steps in any order; nothing comes into force on too few eyes.

What must hold is worked out here from the raw events alone, without the code that decides it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.registry.domain.change import Approved, ChangeEvent, Drafted, ObjectsAdded, Reviewed, Revised, Scheduled
from services.registry.domain.change import Assessed as AssessedStep
from services.registry.domain.change_rules import APPROVER, EDITOR, REVIEWER, Actor
from services.registry.domain.model import Commit
from services.registry.usecases import as_object, import_seed
from services.registry.usecases.change import (
    Ask,
    Desk,
    Result,
    StaleChange,
    Taken,
    approve_change,
    review_change,
    withdraw_change,
)
from services.registry.usecases.change_content import Draft, Objects, add_to_change, draft_change, revise_change
from services.registry.usecases.change_gate import assess_change, schedule_change
from shared.canonical import digest
from shared.graphroot import graph_root
from tests.support.clock import FrozenClock
from tests.support.small_graph import SMALL, source

CONTENT = (Drafted, ObjectsAdded, Revised)
PEOPLE: Mapping[str, frozenset[str]] = {
    "ann": frozenset({EDITOR}),
    "bob": frozenset({EDITOR, REVIEWER, APPROVER}),
    "cat": frozenset({EDITOR, REVIEWER, APPROVER}),
    "dan": frozenset({REVIEWER, APPROVER}),
    "eve": frozenset({APPROVER}),
    "fay": frozenset({REVIEWER}),
    "guy": frozenset(),
}
NEEDED: Mapping[type, str] = {Reviewed: REVIEWER, Approved: APPROVER, AssessedStep: EDITOR, Scheduled: EDITOR}
STEPS = ("review", "assess", "approve", "approve", "approve old", "schedule", "add", "revise", "withdraw")
SPOILING = ("add", "revise", "assess", "approve old")
NEXT = {"draft": "review", "reviewed": "assess", "assessed": "approve", "approved": "schedule", "signed": "schedule"}
CHANGES_MAX = 5
people = st.sampled_from(sorted(PEOPLE))
steps = st.sampled_from(STEPS)
places = st.integers(0, 5)


class FourEyes(RuleBasedStateMachine):
    """Changes of one graph, and people who work on them at once."""

    commits_seen: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.changes: list[str] = []
        self.digests: list[str] = ["0" * 64]
        self.count = 0
        self.clock = FrozenClock()
        self.desk = self.run(self.opened())

    def run(self, work: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await work

        return self.runner.run(awaited())

    async def opened(self) -> Desk:
        """A desk on an empty store."""
        raise NotImplementedError

    async def closed(self) -> None:
        """Let go of what `opened` took."""

    def teardown(self) -> None:
        committed = len(self.run(self.committed()))
        type(self).commits_seen += committed
        event(f"commits: {min(committed, 3)}")
        self.run(self.closed())
        self.runner.close()

    @initialize()
    def seed(self) -> None:
        async def seeded() -> None:
            async with self.desk.begin() as tx:
                if await tx.history().head() is None:
                    return
            raise AssertionError("the store is not empty")

        self.run(seeded())
        self.run(import_seed(lambda: SMALL, begin=self.history, clock=self.clock))
        self.draft("ann")
        self.draft("bob")

    def history(self) -> Any:
        """Transactions on the history alone, of the same store."""
        raise NotImplementedError

    @precondition(lambda self: len(self.changes) < CHANGES_MAX)
    @rule(who=st.sampled_from(("ann", "bob", "cat", "dan")))
    def draft(self, who: str) -> None:
        self.count += 1
        result = self.run(self._draft(who, f"key-{self.count}"))
        if isinstance(result, Taken):
            self.changes.append(result.proposal.change_id)

    @rule(place=places, who=people, step=steps, behind=st.sampled_from((0, 0, 0, 0, 1)))
    def take(self, place: int, who: str, step: str, behind: int) -> None:
        self.run(self._step(self._change(place), who, step, behind))

    @rule(place=places, order=st.permutations(sorted(PEOPLE)), times=st.integers(1, 6))
    def go_on(self, place: int, order: list[str], times: int) -> None:
        """The step that comes next, tried by one after the other until somebody may: this is how changes get far."""
        for _ in range(times):
            self.run(self._go_on(self._change(place), order))

    @rule(place=places, order=st.permutations(sorted(PEOPLE)), times=st.integers(2, 5), step=st.sampled_from(SPOILING))
    def spoil(self, place: int, order: list[str], times: int, step: str) -> None:
        """A change that has come far, a step that makes what was said of it void, and an attempt to go on as if not."""
        change = self._change(place)
        for _ in range(times):
            self.run(self._go_on(change, order))
        self.run(self._first_of(change, order, step))
        self.run(self._first_of(change, order, "schedule"))

    @rule(place=places, first=st.tuples(people, steps), second=st.tuples(people, steps))
    def both_at_once(self, place: int, first: tuple[str, str], second: tuple[str, str]) -> None:
        """Of two steps on the same state one is taken at most."""
        change = self._change(place)
        before = self.run(self._number(change))
        results = self.run(self._gathered([self._step_on(change, before, taken) for taken in (first, second)]))
        new = [result for result in results if _is_new(result)]
        assert len(new) <= 1
        assert self.run(self._number(change)) == before + len(new)

    @rule(place=places, who=people, other=people)
    def schedule_at_once(self, place: int, who: str, other: str) -> None:
        self.both_at_once(place, (who, "schedule"), (other, "schedule"))

    @rule(places_=st.tuples(places, places))
    def schedule_two_changes_at_once(self, places_: tuple[int, int]) -> None:
        changes = {self._change(place) for place in places_}
        self.run(self._gathered([self._step(change, "ann", "schedule", 0) for change in changes]))

    @invariant()
    def nothing_is_in_force_on_too_few_eyes(self) -> None:
        for commit in self.run(self.committed()):
            assert self.run(self.vouched(commit)), f"version {commit.version} is in force without its four people"

    async def committed(self) -> list[Commit]:
        """Every commit after the seed."""
        async with self.desk.begin() as tx:
            return list(await tx.history().commits(after=1, count_max=1_000))

    async def vouched(self, commit: Commit) -> bool:
        """Exactly one change is behind the commit, and its own events vouch for it."""
        async with self.desk.begin() as tx:
            logs = [log for change in self.changes if (log := await tx.log(change))]
            behind = [log for log in logs if _scheduled_as(log.events, commit.version)]
            if len(behind) != 1:
                return False
            events = behind[0].events
            stored = {e.number: await tx.difference(behind[0].change_id, e.number) for e in events}
            graph = await tx.history().graph(commit.version)
        is_the_root = graph_root(item.row() for item in graph) == commit.root
        return is_the_root and vouches(events, stored, commit.root)

    async def _first_of(self, change: str, order: Sequence[str], step: str) -> None:
        for who in order:
            if isinstance(await self._step(change, who, step, 0), Taken):
                return

    async def _gathered(self, work: Sequence[Awaitable[Result]]) -> list[Result]:
        return list(await asyncio.gather(*work))

    async def _go_on(self, change: str, everybody: Sequence[str]) -> None:
        async with self.desk.begin() as tx:
            log = await tx.log(change)
        state = _state(log.events if log else ())
        if state in NEXT:
            await self._first_of(change, everybody, NEXT[state])

    async def _draft(self, who: str, key: str) -> Any:
        async with self.desk.begin() as tx:
            head = await tx.history().head()
        content = Objects((as_object(source(f"page-{self.count}", who)),))
        draft = Draft("A change", "to try it", head.version if head else 0, content)
        return await draft_change(draft, self._actor(who), key, desk=self.desk)

    async def _step(self, change: str, who: str, step: str, behind: int) -> Result:
        return await self._step_on(change, await self._number(change) - behind, (who, step), behind=behind)

    async def _step_on(self, change: str, number: int, taken: tuple[str, str], *, behind: int = 0) -> Result:
        who, step = taken
        self.clock.move(timedelta(seconds=1))  # so that no two assessments are the same
        result = await self._acts(step)(Ask(change, number, self._actor(who)))
        if isinstance(result, Taken) and result.proposal.assessment:
            self.digests.append(result.proposal.assessment.difference)
        assert behind == 0 or isinstance(result, StaleChange) or not _is_new(result)
        return result

    def _acts(self, step: str) -> Callable[[Ask], Awaitable[Result]]:
        desk = self.desk
        self.count += 1
        content = Objects((as_object(source(f"page-{self.count}", "more")),))
        acts: dict[str, Callable[[Ask], Awaitable[Result]]] = {
            "review": lambda ask: review_change(ask, "", desk=desk),
            "assess": lambda ask: assess_change(ask, desk=desk),
            "approve": lambda ask: approve_change(ask, self.digests[-1], desk=desk),
            "approve old": lambda ask: approve_change(ask, self.digests[0], desk=desk),
            "schedule": lambda ask: schedule_change(ask, desk=desk),
            "withdraw": lambda ask: withdraw_change(ask, "no", desk=desk),
            "add": lambda ask: add_to_change(ask, content, desk=desk),
            "revise": lambda ask: self._revise(ask, content),
        }
        if step == "approve":
            return self._approve
        return acts[step]

    async def _approve(self, ask: Ask) -> Result:
        async with self.desk.begin() as tx:
            log = await tx.log(ask.change_id)
        found = [e.step.difference for e in (log.events if log else ()) if isinstance(e.step, AssessedStep)]
        return await approve_change(ask, found[-1] if found else self.digests[0], desk=self.desk)

    async def _revise(self, ask: Ask, content: Objects) -> Result:
        async with self.desk.begin() as tx:
            head = await tx.history().head()
        draft = Draft("", "better", head.version if head else 0, content)
        return await revise_change(ask, draft, desk=self.desk)

    async def _number(self, change: str) -> int:
        async with self.desk.begin() as tx:
            log = await tx.log(change)
        return log.events[-1].number if log else 0

    def _change(self, place: int) -> str:
        return self.changes[-1 - place % len(self.changes)]

    @staticmethod
    def _actor(who: str) -> Actor:
        return Actor(who, "registry", PEOPLE[who])


def vouches(events: Sequence[ChangeEvent], stored: Mapping[int, bytes | None], root: str) -> bool:
    """Whether author, reviewer and two approvers, all of them others, stand behind the graph of that root."""
    authors = {e.principal for e in events if isinstance(e.step, CONTENT)}
    last_content = max(e.number for e in events if isinstance(e.step, CONTENT))
    scheduled = next(e for e in events if isinstance(e.step, Scheduled))
    since = [e for e in events if last_content < e.number < scheduled.number]
    shown = [e for e in since if isinstance(e.step, AssessedStep)][-1:]
    if not shown or scheduled is not events[-1]:
        return False
    body = stored[shown[0].number] or b"{}"
    approvals = [e for e in since if isinstance(e.step, Approved) and e.step.difference == digest(body)]
    approvers = {e.principal for e in approvals if APPROVER in PEOPLE[e.principal]}
    reviewers = {e.principal for e in since if isinstance(e.step, Reviewed) and REVIEWER in PEOPLE[e.principal]}
    others = {*authors, *reviewers}
    eyes = bool(reviewers - authors) and len(approvers - others) >= 2 and not reviewers & authors
    return eyes and json.loads(body)["root"] == root and all(_had_role(e) for e in events)


def _had_role(taken: ChangeEvent) -> bool:
    return NEEDED.get(type(taken.step), EDITOR) in PEOPLE[taken.principal]


def _scheduled_as(events: Sequence[ChangeEvent], version: int) -> bool:
    return any(isinstance(e.step, Scheduled) and e.step.version == version for e in events)


def _is_new(result: Result) -> bool:
    return isinstance(result, Taken) and not result.repeated


def _state(events: Sequence[ChangeEvent]) -> str:
    """Where the change stands, roughly: only so that the machine comes forward."""
    names = [e.name for e in events]
    last = max((n for n, name in enumerate(names) if name in ("DRAFTED", "OBJECTS_ADDED", "REVISED")), default=0)
    since = names[last:]
    if "SCHEDULED" in names or "WITHDRAWN" in names:
        return "closed"
    if "REVIEWED" not in since:
        return "draft"
    if "ASSESSED" not in since:
        return "reviewed"
    after = since[len(since) - 1 - since[::-1].index("ASSESSED") :]
    return "approved" if after.count("APPROVED") >= 2 else "assessed"
