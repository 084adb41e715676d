"""Which commit follows, which is a repeat, and which does not fit."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.model import Head
from services.router.domain.replica import Bodies, Collected, CommitPart, Complete, Misfit, Repeated, Replica, follow
from services.router.usecases.graph import put_in, root_over
from shared.graphroot import graph_root
from tests.support.router_fakes import bodies_of, commit_after, replica_of
from tests.support.small_graph import SMALL, source

EMPTY = Replica(Head(), {})
FIRST = replica_of(SMALL)


def split(commit: CommitPart, count: int) -> list[CommitPart]:
    """The commit in parts; each object lies in one of them."""
    keys = sorted(commit.bodies)
    shares = [{key: commit.bodies[key] for key in keys[n::count]} for n in range(count)]
    return [replace(commit, part=n, parts=count, bodies=share) for n, share in enumerate(shares, start=1)]


def apply_all(replica: Replica, parts: list[CommitPart]) -> Replica:
    for part in parts:
        step = follow(replica, part, put_in)
        if isinstance(step, Complete | Collected):
            replica = step.replica
        else:
            assert isinstance(step, Repeated), step
    return replica


def test_the_root_over_canonical_bytes_is_the_root_of_the_graph() -> None:
    assert root_over(bodies_of(SMALL)) == graph_root(SMALL)


def test_the_first_commit_builds_on_nothing() -> None:
    commit = CommitPart(1, "", FIRST.head.root, 1, 1, FIRST.bodies)
    assert follow(EMPTY, commit, put_in) == Complete(FIRST, FIRST.bodies)


def test_a_commit_replaces_objects_of_the_same_kind_and_id() -> None:
    step = follow(FIRST, commit_after(FIRST, source("page-one", "Another title")), put_in)
    assert isinstance(step, Complete)
    assert len(step.replica.bodies) == len(FIRST.bodies)
    assert b"Another title" in step.replica.bodies["source", "page-one"]


def test_a_commit_that_is_here_already_is_a_repeat() -> None:
    commit = commit_after(FIRST, source("new"))
    after = apply_all(FIRST, [commit])
    assert follow(after, commit, put_in) == Repeated()
    assert follow(after, replace(commit, root="something else"), put_in) == Repeated()


def test_a_commit_with_another_root_than_it_states_does_not_fit() -> None:
    commit = replace(commit_after(FIRST, source("new")), root="00" * 32)
    assert isinstance(follow(FIRST, commit, put_in), Misfit)


def test_a_commit_with_one_byte_changed_does_not_fit() -> None:
    commit = commit_after(FIRST, source("new"))
    (key,) = commit.bodies
    changed: Bodies = {key: commit.bodies[key].replace(b"A", b"B", 1)}
    assert isinstance(follow(FIRST, replace(commit, bodies=changed), put_in), Misfit)


def test_a_gap_and_another_parent_do_not_fit() -> None:
    commit = commit_after(FIRST, source("new"))
    assert isinstance(follow(FIRST, replace(commit, version=3), put_in), Misfit)
    assert isinstance(follow(FIRST, replace(commit, parent_root="another"), put_in), Misfit)


@given(st.integers(2, 6), st.lists(st.integers(0, 5), max_size=4))
def test_a_commit_in_parts_comes_to_the_same_graph_whatever_is_repeated(count: int, again: list[int]) -> None:
    commit = commit_after(FIRST, *[source(f"new-{n}") for n in range(7)])
    parts = split(commit, count)
    repeated = [earlier for n, part in enumerate(parts) for earlier in (*[parts[m] for m in again if m < n], part)]
    assert apply_all(FIRST, repeated) == apply_all(FIRST, [commit])


def test_a_part_out_of_order_does_not_fit() -> None:
    first, second, third = split(commit_after(FIRST, source("a"), source("b"), source("c")), 3)
    assert isinstance(follow(FIRST, second, put_in), Misfit)
    assert isinstance(follow(apply_all(FIRST, [first]), third, put_in), Misfit)


def test_parts_of_two_commits_do_not_mix() -> None:
    first, _ = split(commit_after(FIRST, source("a"), source("b")), 2)
    _, other = split(commit_after(FIRST, source("a"), source("c")), 2)
    assert isinstance(follow(apply_all(FIRST, [first]), other, put_in), Misfit)
