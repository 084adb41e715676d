"""How a decision is taken on a concern, and what of it waits for a person. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.router.domain.advice import Missing, missing_of
from services.router.domain.choosing import Choices, with_choices
from services.router.domain.errors import GraphBehind, NoGraphYet
from services.router.domain.evaluating import Evaluator, Fast, Reference, Ruling
from services.router.domain.model import Concern, Encode, Head, ItemKind, Verdict
from services.router.domain.tokens import is_newer
from shared.agreements import Class, Facts, Snapshot, facts_of, held_for_fault
from shared.agreements.fast import Decider
from shared.agreements.reasons import HOLD_FAULT, HOLD_STALE_GRAPH

CLOCKS_APART = timedelta(seconds=60)
"""So far may the clocks of services differ."""
CLOCK_STEP = "ClockStep"
"""The fault of a concern that comes from later than now: a clock has stepped, and nobody knows which law applies."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and, where the evaluator failed, the name of what it raised (never its text: it may quote)."""

    verdict: Verdict
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A verdict with a person's choices in it. `refused` gives the reason code of each body that may not be told;
    `before` the class that each had without the choice."""

    verdict: Verdict
    decision: Ruling
    before: Mapping[str, Class]
    refused: Mapping[str, str]


class Judge:
    """Decides on one snapshot by the fast path, and remembers: concerns with equal facts are decided once.

    The memory is exact (`Facts.key` is equal only where no graph can decide differently) and bounded by the bytes of
    the decisions in it, the one used longest ago going first. A change of the graph makes a new judge.
    """

    def __init__(
        self, snapshot: Snapshot, encode: Encode, *, memo_bytes_max: int, decider: Decider | None = None
    ) -> None:
        self.snapshot = snapshot
        self.decider = decider or Decider(snapshot)
        self.head = Head(snapshot.version, snapshot.root)
        self._encode = encode
        self._memo_bytes_max = memo_bytes_max
        self._memo_bytes = 0
        self._memo: OrderedDict[Hashable, Verdict] = OrderedDict()
        self._asked: tuple[Concern, Facts, Hashable] | None = None
        self._worked_out: tuple[Hashable, Verdict | None] = (None, None)

    @property
    def gateways(self) -> frozenset[str]:
        """The gateways of all bars, as `bar/gateway`."""
        bars = self.snapshot.graph.bars.values()
        return frozenset(gateway.cite for bar in bars for gateway in bar.gateways)

    @property
    def memo_bytes(self) -> int:
        """How many bytes of decisions are remembered."""
        return self._memo_bytes

    def is_ready(self, concern: Concern) -> bool:
        """Whether judging the concern takes a moment only: nothing has yet to be read, and not much to be written."""
        try:
            facts, key = self._read(concern)
            return key in self._memo or is_newer(facts.min_graph_token, self.head) or not self.decider.takes_long(facts)
        except Exception:  # noqa: BLE001 - whatever cannot be evaluated is held at once
            return True

    def work_out(self, concern: Concern) -> None:
        """Do all that takes long; any thread can do it, while others judge. What fails here fails again in `judge`."""
        with suppress(Exception):
            facts = facts_of(concern.routing)
            self.decider.read_for(facts)
            self._worked_out = facts.key(), Verdict.of(self.decider.decide(facts), self._encode)

    def judge(self, concern: Concern) -> Judgement:
        """The decision on a concern; whatever goes wrong inside holds it for a person."""
        try:
            return Judgement(self._verdict(*self._read(concern)))
        except Exception as error:  # noqa: BLE001 - fail closed: an evaluator that fails may hold a concern, never lose it
            return self.hold(concern, type(error).__name__)

    def hold(self, concern: Concern, fault: str) -> Judgement:
        """The decision that leaves a concern to a person, for what is the matter."""
        facts = _bare_facts(concern.routing, concern.accepted_at)
        return Judgement(self._held(facts, HOLD_FAULT), fault)

    def choose(self, concern: Concern, choices: Choices) -> Choice:
        """The decision on a concern with these choices in it.

        Nothing of it is remembered, and it may take long: ask beside the loop. Where the concern asks for a newer
        graph, or the evaluator fails, everything is held and every choice refused.
        """
        return self._chosen(concern, choices, Fast(self.decider))

    def choose_by_reference(self, concern: Concern, choices: Choices) -> Choice:
        """The same by the reference evaluator alone, which the fast path must equal."""
        return self._chosen(concern, choices, Reference(self.snapshot))

    def _chosen(self, concern: Concern, choices: Choices, evaluator: Evaluator) -> Choice:
        try:
            facts = facts_of(concern.routing)
            if is_newer(facts.min_graph_token, self.head):
                return self._all_refused(facts, choices, HOLD_STALE_GRAPH)
            chosen = with_choices(evaluator, facts, choices)
        except Exception:  # noqa: BLE001 - fail closed: an evaluator that fails holds the concern
            return self.refuse(concern, choices)
        verdict = Verdict.of(chosen.decision, self._encode)
        return Choice(verdict, chosen.decision, chosen.before, chosen.refused)

    def refuse(self, concern: Concern, choices: Choices) -> Choice:
        """Everything held for a fault, and every choice refused."""
        return self._all_refused(_bare_facts(concern.routing, concern.accepted_at), choices, HOLD_FAULT)

    def missing(self, routing: Mapping[str, Any], orgs: Collection[str]) -> tuple[Missing, ...]:
        """What is missing for these bodies to be told of it; () where the concern cannot be read."""
        try:
            return missing_of(Fast(self.decider), facts_of(routing), orgs)
        except Exception:  # noqa: BLE001 - what cannot be evaluated waits for a person, who must be able to look at it
            return ()

    def _all_refused(self, facts: Facts, choices: Choices, code: str) -> Choice:
        decision = held_for_fault(self.snapshot, facts, code)
        return Choice(Verdict.of(decision, self._encode), decision, {}, dict.fromkeys(choices, code))

    def verdict(self, facts: Facts) -> Verdict:
        """The verdict on these facts. Raises what the evaluator raises."""
        return self._verdict(facts, facts.key())

    def _verdict(self, facts: Facts, key: Hashable) -> Verdict:
        if is_newer(facts.min_graph_token, self.head):
            return self._held(facts, HOLD_STALE_GRAPH)
        found = self._memo.get(key)
        if found is None:
            known, worked_out = self._worked_out
            made = worked_out if known == key else None
            found = self._remember(key, made or Verdict.of(self.decider.decide(facts), self._encode))
        self._memo.move_to_end(key)
        return found

    def _read(self, concern: Concern) -> tuple[Facts, Hashable]:
        """The facts and their key, worked out once for a concern that is asked about several times in a row."""
        asked = self._asked
        if asked is None or asked[0] is not concern:
            facts = facts_of(concern.routing)
            self._asked = asked = concern, facts, facts.key()
        return asked[1], asked[2]

    def _remember(self, key: Hashable, verdict: Verdict) -> Verdict:
        self._memo[key] = verdict
        self._memo_bytes += len(verdict.body)
        while self._memo_bytes > self._memo_bytes_max and len(self._memo) > 1:
            _, oldest = self._memo.popitem(last=False)
            self._memo_bytes -= len(oldest.body)
        return verdict

    def _held(self, facts: Facts, code: str) -> Verdict:
        return Verdict.of(held_for_fault(self.snapshot, facts, code), self._encode)


@dataclass(frozen=True, slots=True)
class Newer:
    """A graph that is known of and could not be used yet, with the reason in words."""

    version: int
    because: str


class CurrentJudge:
    """The judge in office; swapped whole when the graph changes.

    It fails closed: while a newer graph is known that cannot be used, nobody is in office.
    """

    def __init__(self) -> None:
        self._judge: Judge | None = None
        self._newest = Newer(0, "")
        self._listeners: list[Callable[[], None]] = []

    @property
    def head(self) -> Head:
        """The graph that is decided on; version 0 when there is none."""
        return self._judge.head if self._judge else Head()

    def get(self) -> Judge:
        """The judge. Raises NoGraphYet before the first graph, GraphBehind while a newer one is known."""
        if self._judge is None:
            raise NoGraphYet
        if newer := self.newer:
            raise GraphBehind(f"version {self.head.version} is in office, version {newer.version} is known")
        return self._judge

    @property
    def newer(self) -> Newer | None:
        """The newest graph that was heard of, as long as no graph at least as new is in office."""
        return self._newest if self._newest.version > self.head.version else None

    def hear_of(self, version: int, because: str) -> None:
        """A graph of that version exists, and is not in use for this reason; the first reason stands."""
        if version > self._newest.version:
            self._newest = Newer(version, because)

    def swap(self, judge: Judge) -> None:
        """Decide by this judge from now on; a batch under way keeps the one it began with."""
        self._judge = judge
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this at each change of the judge in office."""
        self._listeners.append(listener)


def is_ahead(concern: Concern, now: datetime) -> bool:
    """Whether a concern was received, or accepted, later than now by more than clocks differ."""
    return max(concern.received_at, concern.accepted_at) - now > CLOCKS_APART


def waiting_for_a_person(verdict: Verdict) -> Iterator[tuple[ItemKind, tuple[str, ...], tuple[str, ...]]]:
    """(kind, codes, bodies) of each queue that the concern joins. Available bodies are whom one may still choose."""
    if verdict.unroutable:
        yield "unroutable", ("UNROUTABLE",), verdict.available
    if verdict.hold:
        yield "held", verdict.hold, verdict.held
    if verdict.gaps:
        reasons = sorted({outcome.reason for outcome in verdict.gaps})
        yield "gap", tuple(reasons), tuple(outcome.org for outcome in verdict.gaps)


def _bare_facts(routing: Mapping[str, Any], accepted_at: datetime) -> Facts:
    """As much as a total decision that holds everything needs, from a routing part that could not be read."""
    return Facts(originator=str(routing.get("originator", "")), received_at=accepted_at, categories=frozenset())
