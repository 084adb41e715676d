import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from services.registry.domain.errors import GraphDamaged
from services.registry.domain.model import (
    Change,
    Client,
    Committed,
    Refused,
    Stale,
    TokenRequest,
    Unchanged,
)
from services.registry.usecases import Issuer, as_object, import_seed, issue_token, read_graph
from services.registry.usecases.commit import PARTS_MAX
from shared.agreements.load import GraphInvalid
from shared.contracts.envelope import JsonObject
from shared.graphroot import graph_root
from tests.rules.small import POLICY as WORDS_POLICY
from tests.rules.small import WORDS, org, pact
from tests.support.clock import NOON, FrozenClock
from tests.support.committing import commit_change
from tests.support.registry_fakes import InMemoryClients, InMemoryHistory, ReadableSigner
from tests.support.small_graph import POLICY, SMALL, source

CLOCK = FrozenClock()


def change(*rows: JsonObject, on: int = 1, by: str = "clerk") -> Change:
    return Change(on, by, "to try it", tuple(map(as_object, rows)))


async def seeded() -> InMemoryHistory:
    history = InMemoryHistory()
    await import_seed(lambda: SMALL, begin=history.begin, clock=CLOCK)
    return history


def never() -> list[JsonObject]:
    raise AssertionError("the seed was read again")


async def test_an_empty_graph_gets_the_seed_as_one_commit() -> None:
    history = await seeded()
    (commit,) = history.stored
    assert (commit.version, commit.parent_root, commit.event, commit.principal) == (1, "", "IMPORTED", "seed")
    assert commit.root == graph_root(SMALL)


async def test_a_graph_that_is_there_is_left_alone_and_the_seed_is_not_even_read() -> None:
    history = await seeded()
    head = await import_seed(never, begin=history.begin, clock=CLOCK)
    assert (head.version, len(history.stored), len(history.published)) == (1, 1, 1)


async def test_two_registries_that_start_at_once_make_one_commit() -> None:
    history = InMemoryHistory()
    start = (import_seed(lambda: SMALL, begin=history.begin, clock=CLOCK) for _ in range(2))
    heads = await asyncio.gather(*start)
    assert [head.version for head in heads] == [1, 1]
    assert (len(history.stored), len(history.published)) == (1, 1)


async def test_a_seed_with_faults_is_refused_with_all_of_them() -> None:
    history = InMemoryHistory()
    broken = [{**source("one"), "colour": "red"}, {**source("two"), "colour": "red"}, POLICY]
    with pytest.raises(GraphInvalid) as refused:
        await import_seed(lambda: broken, begin=history.begin, clock=CLOCK)
    assert len(refused.value.problems) == 2
    assert history.stored == []


async def test_a_change_makes_the_next_version_with_only_what_changed() -> None:
    history = await seeded()
    outcome = await commit_change(change(source("page-one"), source("new")), begin=history.begin, clock=CLOCK)
    assert isinstance(outcome, Committed)
    assert (outcome.commit.version, [o.id for o in outcome.commit.objects]) == (2, ["new"])
    assert outcome.commit.parent_root == history.stored[0].root
    assert outcome.commit.root == graph_root([*SMALL, source("new")])


async def test_the_same_change_again_finds_everything_as_asked() -> None:
    history = await seeded()
    await commit_change(change(source("new")), begin=history.begin, clock=CLOCK)
    again = await commit_change(change(source("new")), begin=history.begin, clock=CLOCK)
    assert isinstance(again, Unchanged)
    assert (again.head.version, len(history.stored), len(history.published)) == (2, 2, 2)


async def test_a_change_on_an_older_version_is_stale_and_changes_nothing() -> None:
    history = await seeded()
    await commit_change(change(source("new")), begin=history.begin, clock=CLOCK)
    outcome = await commit_change(change(source("newer")), begin=history.begin, clock=CLOCK)
    assert isinstance(outcome, Stale)
    assert (outcome.head.version, len(history.stored)) == (2, 2)


async def test_of_two_changes_at_once_one_wins_and_the_other_is_stale() -> None:
    history = await seeded()
    both = (commit_change(change(source(name)), begin=history.begin, clock=CLOCK) for name in ("left", "right"))
    outcomes = await asyncio.gather(*both)
    assert sorted(type(o).__name__ for o in outcomes) == ["Committed", "Stale"]
    assert [c.version for c in history.stored] == [1, 2]


async def test_a_refused_change_changes_nothing_and_tells_nobody() -> None:
    history = await seeded()
    outcome = await commit_change(change({**source("x"), "colour": "red"}), begin=history.begin, clock=CLOCK)
    assert isinstance(outcome, Refused)
    assert (len(history.stored), len(history.published), len(history.recorded)) == (1, 1, 2)


async def test_a_damaged_graph_is_neither_shown_nor_changed() -> None:
    history = await seeded()
    history.stored[0] = replace(history.stored[0], objects=history.stored[0].objects[1:])
    with pytest.raises(GraphDamaged):
        await read_graph(None, begin=history.begin)
    with pytest.raises(GraphDamaged):
        await commit_change(change(source("new")), begin=history.begin, clock=CLOCK)


async def test_the_published_commits_give_the_root_to_whoever_follows_them() -> None:
    history = await seeded()
    await commit_change(change(source("page-one", "changed")), begin=history.begin, clock=CLOCK)
    followed = {(o["kind"], o["id"]): o for event in history.published for o in event.data.objects}
    assert graph_root(followed.values()) == history.published[-1].data.root


async def test_each_commit_leaves_its_audit_facts_and_none_of_its_words() -> None:
    history = await seeded()
    await commit_change(change(source("new", "secret words")), begin=history.begin, clock=CLOCK)
    assert [f.kind for f in history.recorded] == ["graph-commit", "agreement-event"] * 2
    assert [f.actor for f in history.recorded] == ["seed", "seed", "clerk", "clerk"]
    assert len({f.fact_id for f in history.recorded}) == 4
    said = json.dumps([f.body for f in history.recorded])
    assert "secret words" not in said
    assert "to try it" not in said


async def test_an_older_graph_can_be_read_as_it_stood() -> None:
    history = await seeded()
    await commit_change(change(source("page-one", "changed")), begin=history.begin, clock=CLOCK)
    older = await read_graph(1, begin=history.begin)
    assert older is not None
    assert {o.body for o in older.objects} == {as_object(row).body for row in SMALL}


async def test_a_large_commit_is_published_in_numbered_parts() -> None:
    history = InMemoryHistory()
    rows = [POLICY, *(source(f"s{n}", "long " * 100_000) for n in range(4))]
    await import_seed(lambda: rows, begin=history.begin, clock=CLOCK)
    parts = [(e.data.part, e.data.parts) for e in history.published]
    assert parts == [(n, len(parts)) for n in range(1, len(parts) + 1)]
    assert len(parts) > 1
    assert sum(len(e.data.objects) for e in history.published) == len(rows)
    assert len({e.id for e in history.published}) == len(parts)


async def test_a_commit_too_large_for_the_topic_is_announced_without_its_objects() -> None:
    history = await seeded()
    rows = [source(f"s{n}", "long " * 100_000) for n in range(PARTS_MAX * 2)]
    outcome = await commit_change(change(*rows), begin=history.begin, clock=CLOCK)
    assert isinstance(outcome, Committed)
    (event,) = history.published[1:]
    assert (event.data.complete, event.data.objects, event.data.parts) == (False, [], 1)
    assert event.data.root == outcome.commit.root == graph_root([*SMALL, *rows])
    assert b'"complete":false' in event.encode()
    assert b"complete" not in history.published[0].encode()
    assert [fact.kind for fact in history.recorded[2:]] == ["graph-commit", "agreement-event"]


def test_a_token_says_who_for_whom_for_how_long_and_no_more() -> None:
    signer = ReadableSigner()
    client = Client("case", hashlib.sha256(b"s").hexdigest(), "cqc", frozenset({"b", "a"}), frozenset({"operator"}))
    issuer = Issuer("https://registry", "concordat", signer)
    request = TokenRequest("client_credentials", "case", "s")
    issued = issue_token(request, clients=InMemoryClients((client,)), issuer=issuer, clock=CLOCK)
    (claims,) = signer.signed
    now = int(NOON.timestamp())
    assert {**claims, "jti": ""} == {
        "iss": "https://registry",
        "sub": "case",
        "client_id": "case",
        "aud": "concordat",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "jti": "",
        "org": "cqc",
        "scope": "a b",
        "roles": ["operator"],
    }
    assert issued.token == "token-1"


async def test_a_clock_that_is_set_back_does_not_reorder_what_was_known_when() -> None:
    history = await seeded()
    earlier = FrozenClock(NOON - timedelta(hours=1))
    await commit_change(change(source("new")), begin=history.begin, clock=earlier)
    assert [commit.committed_at for commit in history.stored] == [NOON, NOON]


async def test_a_change_that_overlaps_in_time_is_refused_with_place_and_remedy() -> None:
    history = InMemoryHistory()
    words = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()]
    rows = [*words, WORDS_POLICY, *map(org, ("alpha", "beta", "gamma")), pact()]
    await import_seed(lambda: rows, begin=history.begin, clock=CLOCK)
    outcome = await commit_change(change(pact(id="pact-2")), begin=history.begin, clock=CLOCK)
    assert isinstance(outcome, Refused)
    (defect,) = outcome.defects
    assert defect.index == 0
    assert "agreement pact-2: […, …) overlaps pact […, …) of lineage pact: one version holds" in defect.detail
    assert len(history.stored) == 1
