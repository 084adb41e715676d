"""A whole graph in little memory: its canonical objects, packed, and the tree over them.

Objects lie sorted by kind and id in blocks of some dozen. A block is the text of its lines as `GET /v1/graph` sends
them, deflated on its own, so that a reader needs one block for an object, a commit packs anew the few blocks that it
touches, and the blocks one after the other are one stream for whoever asks for the graph.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from shared.graphlines import LineUnreadable, ObjectKey, line_of, read_lines, unpacked
from shared.merkle import HASH_BYTES, Tree, leaf_hash

BLOCK_OBJECTS = 64
LEVEL = 1  # packs to a sixth; the best level takes twice the time for a fourth less
_MARK = b'"object":'
_SPLIT_AT = 2 * BLOCK_OBJECTS


class _Block(NamedTuple):
    keys: tuple[ObjectKey, ...]
    packed: bytes


class GraphCopy(Mapping[ObjectKey, bytes]):
    """The canonical bytes of each object of one graph, and its root. Immutable; read freely by many threads."""

    __slots__ = ("_blocks", "_firsts", "_seen", "_starts", "_tree")

    def __init__(self, blocks: tuple[_Block, ...], tree: Tree) -> None:
        self._blocks = blocks
        self._firsts = [block.keys[0] for block in blocks]
        self._starts = _starts(blocks)
        self._tree = tree
        self._seen: tuple[_Block, list[bytes]] | None = None

    @classmethod
    def of(cls, bodies: Mapping[ObjectKey, bytes]) -> GraphCopy:
        """Pack canonical objects, in any order."""
        return cls.of_sorted((key, bodies[key]) for key in sorted(bodies))

    @classmethod
    def of_sorted(cls, items: Iterable[tuple[ObjectKey, bytes]]) -> GraphCopy:
        """Pack canonical objects that come sorted by kind and id."""
        leaves, blocks, part = bytearray(), list[_Block](), list[tuple[ObjectKey, bytes]]()
        for item in items:
            leaves += leaf_hash(item[1])
            part.append(item)
            if len(part) == BLOCK_OBJECTS:
                blocks.append(_pack(part))
                part = []
        if part:
            blocks.append(_pack(part))
        return cls(tuple(blocks), Tree.over(bytes(leaves)))

    @classmethod
    def of_packed(cls, pieces: Iterable[tuple[bytes, bytes]]) -> GraphCopy:
        """Objects that are packed already, as another copy's `packed` gives them, each piece with its text.

        Nothing is packed anew. Raises LineUnreadable, also where the objects are not in their order.
        """
        leaves, blocks, before = list[bytes](), list[_Block](), ("", "")
        for packed, text in pieces:
            keys, bodies = read_lines(text)
            if keys[0] <= before or keys != sorted(set(keys)) or len(keys) > _SPLIT_AT:
                raise LineUnreadable("the objects are not in their order, or not in blocks")
            before = keys[-1]
            leaves += map(leaf_hash, bodies)
            blocks.append(_Block(tuple(keys), packed))
        return cls(tuple(blocks), Tree.over(b"".join(leaves)))

    @property
    def root(self) -> str:
        """As `shared.graphroot` gives it for the same objects."""
        return self._tree.root.hex()

    @property
    def packed_bytes(self) -> int:
        """How much memory the packed objects take."""
        return sum(len(block.packed) for block in self._blocks)

    def packed(self) -> Iterator[bytes]:
        """The lines of all objects as raw deflate, in pieces that follow each other; the stream is left open."""
        return (block.packed for block in self._blocks)

    def lines(self) -> Iterator[bytes]:
        """The lines of all objects, some at a time, each with its newline."""
        return (unpacked(block.packed) for block in self._blocks)

    def changed(self, bodies: Mapping[ObjectKey, bytes]) -> GraphCopy:
        """The graph with these objects put in: new ones, and others in the place of those of the same kind and id."""
        if not bodies:
            return self
        if len(bodies) > len(self):
            return GraphCopy.of({**self, **bodies})
        blocks, by_block = list(self._blocks), self._by_block(bodies)
        for place in sorted(by_block, reverse=True):
            blocks[place : place + 1] = _repacked(blocks[place] if blocks else None, by_block[place])
        return GraphCopy(tuple(blocks), self._grown(bodies))

    def since(self, earlier: GraphCopy) -> dict[ObjectKey, bytes]:
        """The objects that are new here or others than there; blocks that are one and the same are not opened."""
        known = {id(block) for block in earlier._blocks}
        moved = (block for block in self._blocks if id(block) not in known)
        items = (item for block in moved for item in zip(block.keys, _bodies(block), strict=True))
        return {key: body for key, body in items if earlier.get(key) != body}

    def place_of(self, key: ObjectKey) -> int:
        """How many objects stand before one of this key."""
        block = max(bisect_right(self._firsts, key) - 1, 0)
        return self._starts[block] + bisect_left(self._blocks[block].keys, key) if self._blocks else 0

    def ids(self, kind: str) -> list[str]:
        """The ids of the objects of a kind, sorted."""
        first = max(bisect_right(self._firsts, (kind, "")) - 1, 0)
        last = bisect_left(self._firsts, (kind + "\0", ""))
        return [key[1] for block in self._blocks[first:last] for key in block.keys if key[0] == kind]

    def of_kind(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """Id and canonical bytes of the objects of a kind, sorted by id."""
        first = max(bisect_right(self._firsts, (kind, "")) - 1, 0)
        last = bisect_left(self._firsts, (kind + "\0", ""))
        for block in self._blocks[first:last]:
            bodies = zip(block.keys, _bodies(block), strict=True)
            yield from ((key[1], body) for key, body in bodies if key[0] == kind)

    def holds(self, key: ObjectKey) -> bool:
        """Whether there is an object of this key; unpacks nothing."""
        block = self._block_of(key)
        place = bisect_left(block.keys, key)
        return place < len(block.keys) and block.keys[place] == key

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and self.holds(key)

    def __getitem__(self, key: ObjectKey) -> bytes:
        if not self.holds(key):
            raise KeyError(key)
        block = self._block_of(key)
        seen = self._seen
        if seen is None or seen[0] is not block:
            # Whoever asks for many asks in their order: the block that was opened last is kept open.
            self._seen = seen = (block, _bodies(block))
        return seen[1][bisect_left(block.keys, key)]

    def __iter__(self) -> Iterator[ObjectKey]:
        return chain.from_iterable(block.keys for block in self._blocks)

    def __len__(self) -> int:
        return len(self._tree.leaves) // HASH_BYTES

    def _block_of(self, key: ObjectKey) -> _Block:
        return self._blocks[max(bisect_right(self._firsts, key) - 1, 0)] if self._blocks else _Block((), b"")

    def _by_block(self, bodies: Mapping[ObjectKey, bytes]) -> dict[int, dict[ObjectKey, bytes]]:
        found: dict[int, dict[ObjectKey, bytes]] = {}
        for key, body in bodies.items():
            found.setdefault(max(bisect_right(self._firsts, key) - 1, 0), {})[key] = body
        return found

    def _grown(self, bodies: Mapping[ObjectKey, bytes]) -> Tree:
        leaves, count = self._tree.leaves, len(self)
        pieces, upto, touched, moved_from = list[bytes](), 0, set[int](), count
        for key in sorted(bodies):
            place = self.place_of(key)
            pieces += [leaves[upto * HASH_BYTES : place * HASH_BYTES], leaf_hash(bodies[key])]
            upto = place
            if key in self:
                touched.add(place)
                upto += 1
            else:
                moved_from = min(moved_from, place)
        pieces.append(leaves[upto * HASH_BYTES :])
        return self._tree.over_changed(b"".join(pieces), touched, moved_from)


def _pack(items: Iterable[tuple[ObjectKey, bytes]]) -> _Block:
    kept = tuple(items)
    text = b"".join([line_of(key, body) + b"\n" for key, body in kept])
    deflate = zlib.compressobj(LEVEL, wbits=-zlib.MAX_WBITS)
    return _Block(tuple(key for key, _ in kept), deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH))


def _bodies(block: _Block) -> list[bytes]:
    # Neither an id nor a kind can hold the mark: a quotation mark inside a JSON string follows a backslash.
    return [line[line.index(_MARK) + len(_MARK) : -1] for line in unpacked(block.packed).split(b"\n")[:-1]]


def _repacked(block: _Block | None, bodies: Mapping[ObjectKey, bytes]) -> list[_Block]:
    """The block with these objects in it; more than one where it would grow too large."""
    held = dict(zip(block.keys, _bodies(block), strict=True)) if block else {}
    items = sorted({**held, **bodies}.items())
    size = len(items) if len(items) <= _SPLIT_AT else BLOCK_OBJECTS
    return [_pack(items[start : start + size]) for start in range(0, len(items), size)]


def _starts(blocks: Iterable[_Block]) -> list[int]:
    starts, count = list[int](), 0
    for block in blocks:
        starts.append(count)
        count += len(block.keys)
    return starts
