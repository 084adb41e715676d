"""One body in the middle, those that agreements join to it on both sides, a line for each agreement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

import networkx as nx

from deploy.draw import svg
from deploy.draw.frame import HEAD, Words, legend_height, legend_of
from deploy.draw.network import Body, Network, Tie
from deploy.draw.words import INSTRUMENTS, SHORT, shortened, wrapped

ROW = 46.0
LINE = 17.0
WIDE = 1440.0
MARGIN = 24.0
BODY = 290.0
LABEL = 236.0
CENTRE = 220.0
CENTRE_BOX = "#e8eef5"
Spot = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """What a column shows: a body, or an agreement of several bodies with all of them in it. `lines`: (words, bold)."""

    name: str
    lines: tuple[tuple[str, bool], ...]
    spoken: str
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a column: a tie of the box, or room for its words."""

    box: Box
    tie: Tie | None


def draw(network: Network, centre: str, words: Words) -> str:
    """The neighbourhood of `centre`, as `Network.around` gives it, as an SVG document."""
    left, right = _columns(network, centre)
    spots = _spots(left, right)
    high = max(len(left), len(right), 4) * ROW
    middle = _Middle(network.bodies[centre], high, max(len(left), len(right)))
    parts = [*middle.parts()]
    for rows, side in ((left, -1), (right, 1)):
        parts += _side(rows, side, spots, middle)
    bottom = HEAD + high + 28
    parts += legend_of(network, MARGIN, bottom, WIDE - 2 * MARGIN)
    return words.document((WIDE, bottom + legend_height(network)), parts)


def _columns(network: Network, centre: str) -> tuple[list[Row], list[Row]]:
    """Agreements of several bodies first, then the neighbours by kind and name; half of the lines on each side."""
    members = network.members()
    shared: dict[str, list[Tie]] = {}
    ties: dict[str, list[Tie]] = {}
    for tie in network.ties:
        (shared if tie.agreement in members else ties).setdefault(
            tie.agreement if tie.agreement in members else tie.ends[1], []
        ).append(tie)
    near = sorted((network.bodies[name] for name in ties), key=lambda body: (body.type, body.name))
    blocks = [_rows(_shared_box(network, centre, found), [_joined(found)]) for found in shared.values()]
    blocks += [_rows(_body_box(body), ties[body.id]) for body in near]
    total, left, right = sum(map(len, blocks)), list[Row](), list[Row]()
    for block in blocks:
        (left if len(left) + len(block) / 2 <= total / 2 else right).extend(block)
    return left, right


def _joined(ties: Sequence[Tie]) -> Tie:
    """The ties of one agreement as one line."""
    marks = sorted({mark for tie in ties for mark in tie.marks})
    return replace(
        ties[0], there=any(tie.there for tie in ties), back=any(tie.back for tie in ties), marks=tuple(marks)
    )  # fmt: skip


def _rows(box: Box, ties: Sequence[Tie]) -> list[Row]:
    rows = [Row(box, tie) for tie in sorted(ties, key=lambda tie: (tie.instrument, tie.agreement))]
    needed = ceil((len(box.lines) * LINE + 16) / ROW)
    return [*rows, *(Row(box, None) for _ in range(needed - len(rows)))]


def _body_box(body: Body) -> Box:
    name = [(line, True) for line in wrapped(body.name, 15, BODY - 40)]
    before = wrapped(f"formerly {', '.join(body.formerly)}", 13, BODY - 28) if body.formerly else []
    return Box(body.id, (*name, *((line, False) for line in before)), f"{body.name} ({body.type.replace('-', ' ')})")


def _shared_box(network: Network, centre: str, ties: Sequence[Tie]) -> Box:
    others = sorted({end for tie in ties for end in tie.ends} - {centre})
    names = ", ".join(network.bodies[name].short for name in others)
    title = [(line, True) for line in wrapped(ties[0].title, 15, BODY - 40)]
    with_whom = [(line, False) for line in wrapped(f"with {names}", 13, BODY - 28)]
    return Box(ties[0].agreement, (*title, *with_whom), ties[0].title, is_shared=True)


def _spots(left: Sequence[Row], right: Sequence[Row]) -> dict[tuple[int, int], Spot]:
    """Where each line begins: two columns, as the layout spreads them, in pixels."""
    columns = {side: [(side, number) for number in range(len(rows))] for side, rows in ((-1, left), (1, right)) if rows}
    graph: nx.Graph[tuple[int, int]] = nx.Graph()
    graph.add_nodes_from(row for column in columns.values() for row in column)
    placed = nx.multipartite_layout(graph, subset_key=columns, scale=1)
    first, last = (f(float(y) for _, y in placed.values()) for f in (min, max))
    rows = max(len(left), len(right))
    unit = (rows - 1) * ROW / (last - first) if last > first else 0.0
    middle = HEAD + max(rows, 4) * ROW / 2
    return {
        (side, number): (WIDE / 2 + side * (WIDE / 2 - MARGIN - BODY), middle + unit * (float(y) - (first + last) / 2))
        for (side, number), (_, y) in placed.items()
    }


class _Middle:
    """The box of the body in the middle, and where the lines meet it: in the order in which they come."""

    def __init__(self, body: Body, high: float, rows: int) -> None:
        self._name = wrapped(body.name, 20, CENTRE - 40)
        self._before = wrapped(f"formerly {', '.join(body.formerly)}", 13, CENTRE - 28) if body.formerly else []
        self._words = len(self._name) * 25.0 + len(self._before) * LINE + 10
        self._high = min(high, max(self._words + 40, rows * 18.0 + 40))
        self._top = HEAD + (high - self._high) / 2

    def parts(self) -> Iterator[str]:
        box = {"x": WIDE / 2 - CENTRE / 2, "y": self._top, "width": CENTRE, "height": self._high, "rx": 10}
        yield svg.element("rect", {**box, "fill": CENTRE_BOX, "stroke": svg.INK, "stroke-width": 2})
        y = self._top + (self._high - self._words) / 2
        for line in self._name:
            y += 25
            yield svg.text(WIDE / 2, y - 6, line, 20, text_anchor="middle", font_weight=700)
        for line in self._before:
            y += LINE
            yield svg.text(WIDE / 2, y, line, 13, text_anchor="middle", fill=svg.QUIET)

    def port(self, side: int, number: int, count: int) -> Spot:
        step = (self._high - 28) / max(count, 1)
        return WIDE / 2 + side * CENTRE / 2, self._top + 14 + (number + 0.5) * step


def _side(rows: Sequence[Row], side: int, spots: Mapping[tuple[int, int], Spot], middle: _Middle) -> Iterator[str]:
    ports = [number for number, row in enumerate(rows) if row.tie]
    for number, row in enumerate(rows):
        spot = spots[side, number]
        if number == 0 or rows[number - 1].box is not row.box:
            yield _box(row.box, side, spot, sum(other.box is row.box for other in rows))
        if row.tie:
            yield _line(row.tie, side, spot, middle.port(side, ports.index(number), len(ports)))


def _box(box: Box, side: int, spot: Spot, count: int) -> str:
    x, high = (MARGIN if side < 0 else WIDE - MARGIN - BODY), count * ROW - 8
    top = spot[1] - ROW / 2 + 4
    frame = {"x": x, "y": top, "width": BODY, "height": high, "rx": 20 if box.is_shared else 4}
    fill = {"fill": "#fdf6e7" if box.is_shared else "#f6f7f9", "stroke": svg.INK}
    y = top + high / 2 - len(box.lines) * LINE / 2 + 13
    texts = [
        svg.text(x + 14, y + number * LINE, line, 15 if is_name else 13, **_weight(is_name=is_name))
        for number, (line, is_name) in enumerate(box.lines)
    ]
    return svg.group([svg.element("rect", {**frame, **fill}), *texts], box.spoken)


def _weight(*, is_name: bool) -> dict[str, object]:
    return {"font_weight": 700} if is_name else {"fill": svg.QUIET}


def _line(tie: Tie, side: int, spot: Spot, port: Spot) -> str:
    (x, y), (px, py) = spot, port
    bend = x - side * LABEL
    inner = (bend + px) / 2
    y = y + 8
    points = [(x, y), (bend, y), (inner, y), (inner, py), (px, py)]
    at = [f"{svg.number(a)} {svg.number(b)}" for a, b in points]
    path = svg.element("path", {"d": f"M{at[0]} L{at[1]} C{at[2]} {at[3]} {at[4]}", **svg.line_of(tie.instrument)})
    colour = svg.STYLES.get(tie.instrument, (svg.INK, 2.0, ""))[0]
    heads = [svg.arrow((x, y), (float(side), 0.0), colour)] if tie.there else []
    heads += [svg.arrow((px, py), (-float(side), 0.0), colour)] if tie.back else []
    return svg.group([path, *heads, *_labels(tie, side, spot)], _spoken(tie))


def _labels(tie: Tie, side: int, spot: Spot) -> Iterator[str]:
    """Above the line the instrument and the agreement's id; below it what should be looked at."""
    x, anchor = spot[0] - side * 16, "start" if side < 0 else "end"
    name = shortened(f"{SHORT.get(tie.instrument, tie.instrument)} · {tie.agreement}", 12.5, LABEL)
    yield svg.text(x, spot[1] + 1, name, 12.5, text_anchor=anchor)
    if words := " · ".join([*tie.marks, *([] if tie.there or tie.back else ["on record only"])]):
        marked = f"▲ {words}"
        yield svg.text(x, spot[1] + 23, marked, 12.5, text_anchor=anchor, fill=svg.ALERT, font_weight=700)


def _spoken(tie: Tie) -> str:
    ways = {(True, True): "both ways", (True, False): "one way, out", (False, True): "one way, in"}
    way = ways.get((tie.there, tie.back), "on record only")
    return ". ".join([tie.title, f"{INSTRUMENTS.get(tie.instrument, tie.instrument)}, {way}", *tie.marks])
