"""A packed graph is the graph: the same objects, the same root, whatever was put in and in which order."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import canonical
from shared.graphcopy import BLOCK_OBJECTS, GraphCopy
from shared.graphlines import LineUnreadable, ObjectKey, line_of, pieces_of, read_line
from shared.graphroot import graph_root

Bodies = dict[ObjectKey, bytes]
names = st.text(st.sampled_from("ab-1"), min_size=1, max_size=3)
keys = st.tuples(st.sampled_from(("agreement", "bar", "source")), names)
changes = st.dictionaries(keys, st.integers(0, 9), max_size=12)


def bodies_of(drawn: dict[ObjectKey, int]) -> Bodies:
    return {key: canonical({"kind": key[0], "id": key[1], "v": "\n" * value}) for key, value in drawn.items()}


def many(count: int, word: str = "x") -> Bodies:
    return {("source", f"{n:05}"): canonical({"kind": "source", "id": f"{n:05}", "title": word}) for n in range(count)}


def root_of_bodies(bodies: Bodies) -> str:
    return graph_root([{"kind": kind, "id": name, "v": _v(bodies[kind, name])} for kind, name in bodies])


def _v(body: bytes) -> str:
    return "\n" * body.count(b"\\n")


@given(changes, st.lists(changes, max_size=4))
def test_a_copy_holds_what_was_put_in_last_and_has_its_root(
    first: dict[ObjectKey, int], later: list[dict[ObjectKey, int]]
) -> None:
    copy, plain = GraphCopy.of(bodies_of(first)), bodies_of(first)
    for change in map(bodies_of, later):
        copy, plain = copy.changed(change), {**plain, **change}
    assert copy == plain
    assert (copy.root, len(copy), list(copy)) == (root_of_bodies(plain), len(plain), sorted(plain))
    for kind in ("agreement", "bar", "source"):
        assert dict(copy.of_kind(kind)) == {key[1]: body for key, body in plain.items() if key[0] == kind}
        assert copy.ids(kind) == sorted(key[1] for key in plain if key[0] == kind)


@given(changes, keys)
def test_what_is_not_there_is_not_found(drawn: dict[ObjectKey, int], key: ObjectKey) -> None:
    copy = GraphCopy.of(bodies_of(drawn))
    assert (key in copy) == (key in drawn)
    assert copy.get(key) == bodies_of(drawn).get(key)


@given(st.integers(1, 5), st.integers(1, 300))
def test_blocks_that_grow_are_split_and_nothing_is_lost(share: int, count: int) -> None:
    whole = many(BLOCK_OBJECTS * 5)
    copy = GraphCopy.of({key: body for n, (key, body) in enumerate(whole.items()) if n % 5 < share})
    added = dict(list(many(BLOCK_OBJECTS * 5, "other").items())[:count])
    after = copy.changed(added)
    assert after == {**copy, **added}
    assert after.root == GraphCopy.of({**copy, **added}).root


def test_the_copy_before_a_change_stays_as_it_was() -> None:
    copy = GraphCopy.of(many(200))
    root = copy.root
    assert copy.changed(many(1, "other")).root != root
    assert (copy.root, copy["source", "00000"]) == (root, many(1)["source", "00000"])


@given(changes, changes)
def test_what_differs_from_an_earlier_copy_is_what_was_put_in(
    first: dict[ObjectKey, int], later: dict[ObjectKey, int]
) -> None:
    before, other = GraphCopy.of(bodies_of(first)), GraphCopy.of(bodies_of(first | later))
    differing = {key: body for key, body in bodies_of(later).items() if before.get(key) != body}
    assert before.changed(bodies_of(later)).since(before) == other.since(before) == differing


def test_the_packed_pieces_are_one_stream_of_the_lines() -> None:
    copy = GraphCopy.of(many(300))
    text = zlib.decompressobj(-zlib.MAX_WBITS).decompress(b"".join(copy.packed()))
    assert text == b"".join(copy.lines())
    assert dict(map(read_line, text.splitlines())) == copy


@given(names, st.text(max_size=5))
def test_a_line_is_read_as_it_was_written(name: str, title: str) -> None:
    body = canonical({"kind": "source", "id": name, "title": title})
    assert read_line(line_of(("source", name), body)) == (("source", name), body)


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"id":"a","object":{}}', b'{"id":"a","kind":"source","object":{}', b"\xff"]
)
def test_a_line_that_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(LineUnreadable):
        read_line(line)


@given(changes)
def test_what_is_packed_already_is_read_without_being_packed_anew(first: dict[ObjectKey, int]) -> None:
    copy = GraphCopy.of({**many(200), **bodies_of(first)}).changed(bodies_of(first))
    stream = b"".join(copy.packed())
    read = GraphCopy.of_packed(pieces_of(stream))
    assert (read.root, dict(read), b"".join(read.packed())) == (copy.root, dict(copy), stream)


def flushed(*texts: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return b"".join(deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH) for text in texts)


@given(st.data())
def test_a_flush_within_a_line_ends_no_piece(data: st.DataObject) -> None:
    copy = GraphCopy.of(many(5))
    (text,) = copy.lines()
    at = data.draw(st.integers(1, len(text) - 1).filter(lambda at: text[at - 1 : at] != b"\n"))
    assert GraphCopy.of_packed(pieces_of(flushed(text[:at], text[at:]))).root == copy.root


@pytest.mark.parametrize("count", [BLOCK_OBJECTS * 3, 5])
def test_pieces_that_are_out_of_order_cut_short_or_too_large_are_refused(count: int) -> None:
    lines = b"".join(GraphCopy.of(many(count)).lines()).splitlines(keepends=True)
    whole = flushed(*lines)
    swapped = flushed(*lines[1::-1], *lines[2:])
    for stream in (swapped, whole[:-1], whole + b"\x03", flushed(b"".join(lines[::-1])), flushed(*lines, b"{}\n")):
        with pytest.raises((LineUnreadable, zlib.error)):
            GraphCopy.of_packed(pieces_of(stream))
    assert GraphCopy.of_packed(pieces_of(whole)) == many(count)


def test_a_piece_of_more_objects_than_a_block_holds_is_refused() -> None:
    text = b"".join(GraphCopy.of(many(BLOCK_OBJECTS * 3)).lines())
    with pytest.raises(LineUnreadable):
        GraphCopy.of_packed(pieces_of(flushed(text)))
