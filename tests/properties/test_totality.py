"""P1, P2 and P23: a decision on every body, the same bytes for ever, and nothing told that is not understood."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import event, given, target
from hypothesis import strategies as st

from services.router.domain.model import Concern, Head
from services.router.domain.policy import Judge
from services.router.domain.replica import CommitPart, Misfit, Replica, follow
from services.router.usecases.graph import put_in, root_over
from shared.agreements import Class, Snapshot, decide, facts_of, held_for_fault, sentence
from shared.canonical import canonical
from shared.graphroot import object_key
from tests.support.concerns import concerns
from tests.support.dice import Dice
from tests.support.graphs import graphs, snapshot_of, worlds
from tests.support.laws import EXAMPLES, Row, encoded, law, nightly, told

WITH_PAYLOAD = {Class.TOLD}
WITH_CLAUSES = {Class.TOLD, Class.AVAILABLE}


@law
@given(worlds(), concerns())
def test_p1_the_classes_divide_the_organisations_of_the_graph(snapshot: Snapshot, routing: Row) -> None:
    decision = decide(snapshot, facts_of(routing))
    totals = decision.totals()
    assert [outcome.org for outcome in decision.outcomes] == sorted(snapshot.graph.organisations)
    assert sum(totals.values()) == len(snapshot.graph.organisations)
    assert {klass: len(decision.of_class(Class(klass))) for klass in totals} == totals
    assert totals["originator"] == 1
    if nightly:  # to climb towards many reasons costs more than the law itself
        target(float(len({outcome.reason for outcome in decision.outcomes})), label="different reasons")
    for outcome in decision.outcomes:
        event(f"{outcome.klass.value} {outcome.reason}")


@law
@given(worlds(), concerns())
def test_p1_every_body_has_a_reason_and_what_belongs_to_its_class(snapshot: Snapshot, routing: Row) -> None:
    decision = decide(snapshot, facts_of(routing))
    for outcome in decision.outcomes:
        assert sentence(outcome.reason)
        assert (outcome.payload is not None) == (outcome.klass in WITH_PAYLOAD)
        assert bool(outcome.because) >= (outcome.klass in WITH_CLAUSES)
        assert bool(outcome.flags) <= bool(outcome.because)
    assert decision.unroutable <= (not decision.told and not decision.hold)
    assert (Class.HELD.value in _classes(decision)) <= bool(decision.hold)


def _classes(decision: Any) -> set[str]:
    return {outcome.klass.value for outcome in decision.outcomes}


@law
@given(graphs(), concerns())
def test_p2_the_same_inputs_give_the_same_bytes(rows: list[Row], routing: Row) -> None:
    """Also from a second reading of the graph, and after the snapshot has answered other concerns."""
    first, again = snapshot_of(rows), snapshot_of(rows, version=2)
    decision = decide(first, facts_of(routing))
    for org in sorted(first.graph.organisations):
        decide(again, facts_of({**routing, "originator": org}))
    assert encoded(decide(again, facts_of(routing))) == encoded(decision)
    assert decide(first, facts_of(routing)) == decision


def test_p2_processes_that_hash_differently_decide_byte_for_byte_alike() -> None:
    """A third as many graphs as other laws take, each with four concerns, in processes of different hash seeds."""
    count = EXAMPLES // 3
    assert len({_digest_in_a_process(str(seed), count) for seed in (0, 1, 4711)}) == 1


def _digest_in_a_process(seed: str, count: int) -> str:
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-m", "tests.support.decided", str(count)]
    ran = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    assert len(ran.stdout.strip()) == 64
    return ran.stdout.strip()


LISTS = ("categories", "purposes", "topics", "functions", "flags", "sensitivity", "field_classes")
ONES = ("urgency", "nation", "setting", "victim", "fault_holder", "provider_status", "marking", "onward")


@law
@given(worlds(), concerns(), st.sampled_from((*LISTS, *ONES)), st.text(min_size=1, max_size=8))
def test_p23_a_word_that_is_not_known_holds_the_concern_and_is_named(
    snapshot: Snapshot, routing: Row, key: str, word: str
) -> None:
    strange = f"?{word}"
    changed = {**routing, key: [*routing[key], strange] if key in LISTS else strange}
    decision = decide(snapshot, facts_of(changed))
    assert decision.hold[0] == "HOLD_UNKNOWN_TERM"
    assert decision.detail == (f"{key}: {strange}",)
    assert _classes(decision) == {"originator", "held"}


STRANGE: tuple[tuple[str, Row, str], ...] = (
    ("a subject that is no body of the graph", {"subjects": [{"kind": "provider", "org": "nobody"}]}, "body: nobody"),
    ("a subject of no kind", {"subjects": [{"kind": "ghost"}]}, "subject kind: ghost"),
    ("a register", {"subjects": [{"kind": "provider", "registers": ["guild"]}]}, "register: guild"),
    ("a body named", {"named_recipients": ["nobody"]}, "body: nobody"),
    ("a gateway", {"gateways": [{"id": "bar-a/elsewhere"}]}, "gateway: bar-a/elsewhere"),
    ("a giver", {"provenance": [{"from": "nobody", "to": "alpha", "onward": "free"}]}, "body: nobody"),
    ("an onward term", {"provenance": [{"from": "beta", "to": "alpha", "onward": "maybe"}]}, "onward: maybe"),
)


@law
@given(worlds(), concerns(), st.sampled_from(STRANGE))
def test_p23_a_body_gateway_or_term_that_is_not_known_holds_the_concern(
    snapshot: Snapshot, routing: Row, strange: tuple[str, Row, str]
) -> None:
    _, change, named = strange
    decision = decide(snapshot, facts_of({**routing, **change}))
    assert decision.hold[0] == "HOLD_UNKNOWN_TERM"
    assert named in decision.detail
    assert told(decision) == set()


@law
@given(worlds(), concerns())
def test_p23_an_originator_that_the_graph_does_not_know_tells_nobody(snapshot: Snapshot, routing: Row) -> None:
    decision = decide(snapshot, facts_of({**routing, "originator": "nobody"}))
    assert decision.hold[0] == "HOLD_UNKNOWN_TERM"
    assert _classes(decision) == {"held"}


@law
@given(worlds(), concerns(), st.sampled_from(("HOLD_FAULT", "HOLD_STALE_GRAPH")))
def test_p23_a_hold_for_a_fault_is_total(snapshot: Snapshot, routing: Row, code: str) -> None:
    decision = held_for_fault(snapshot, facts_of(routing), code)
    assert decision.hold == (code,)
    assert [outcome.org for outcome in decision.outcomes] == sorted(snapshot.graph.organisations)
    assert _classes(decision) == {"originator", "held"}


@law
@given(worlds(), concerns(), st.sampled_from(("received_at", "originator", "vocabularies")))
def test_p23_whatever_the_evaluator_stumbles_over_holds_the_concern(
    snapshot: Snapshot, routing: Row, missing: str
) -> None:
    broken: Any = replace(snapshot.graph, vocabularies=None)  # type: ignore[arg-type]  # a fault on purpose
    graph = broken if missing == "vocabularies" else snapshot.graph
    known = {key: value for key, value in routing.items() if key != missing}
    judgement = _judge(Snapshot(graph, 1, "r")).judge(_concern(known))
    assert judgement.fault in ("KeyError", "AttributeError")
    assert judgement.verdict.hold == ("HOLD_FAULT",)
    assert judgement.verdict.told == ()


@law
@given(worlds(), concerns(), st.sampled_from(("2.root-1.x", "1.another.x", "not a token", "٣.root-1.x")))
def test_p23_a_concern_that_asks_for_another_graph_waits(snapshot: Snapshot, routing: Row, token: str) -> None:
    judgement = _judge(snapshot).judge(_concern({**routing, "min_graph_token": token}))
    assert judgement.verdict.hold == ("HOLD_STALE_GRAPH",)
    assert judgement.verdict.told == ()


def _judge(snapshot: Snapshot) -> Judge:
    return Judge(snapshot, canonical, memo_bytes_max=10_000)


def _concern(routing: Row) -> Concern:
    return Concern("con_x", 1, "d", datetime.fromisoformat("2025-01-01T00:00:00Z"), routing, {})


@law
@given(graphs(), graphs(), st.integers(0, 5))
def test_p23_a_commit_whose_root_does_not_come_out_is_never_taken(rows: list[Row], other: list[Row], flaw: int) -> None:
    """One object left out, one too many, or a root that is another's: the copy stays as it was, and says why."""
    before = {object_key(row): canonical(row) for row in rows}
    after = {**before, **{object_key(row): canonical(row) for row in other}}
    replica = Replica(Head(1, root_over(before)), before)
    changed = {key: body for key, body in after.items() if before.get(key) != body}
    part = CommitPart(2, replica.head.root, root_over(after), 1, 1, changed)
    flawed = _flawed(part, flaw)
    step = follow(replica, flawed, put_in)
    assert isinstance(step, Misfit) == (flawed is not part)


def _flawed(part: CommitPart, flaw: int) -> CommitPart:
    name = Dice(bytes([flaw * 40])).pick(sorted(part.bodies)) if part.bodies else None
    if flaw == 0 or name is None:
        return part
    fewer = {key: body for key, body in part.bodies.items() if key != name}
    more = {**part.bodies, ("source", "slipped-in"): b'{"id":"slipped-in","kind":"source","title":"t"}'}
    altered = {**part.bodies, name: part.bodies[name] + b" "}
    flaws = (
        replace(part, bodies=fewer),
        replace(part, bodies=more),
        replace(part, bodies=altered),
        replace(part, root="0" * 64),
        replace(part, parent_root="0" * 64),
    )
    return flaws[flaw - 1]
