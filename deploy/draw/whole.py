"""All bodies on a circle by kind; a line for each agreement of two, a point inside for each of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import atan2, degrees, hypot, pi
from typing import Any

import networkx as nx

from deploy.draw import svg
from deploy.draw.frame import HEAD, Words, legend_height, legend_of
from deploy.draw.network import Body, Network, Tie
from deploy.draw.words import SHORT, shortened, width

INNER = 0.5
NAME = 13
PLATE = 26.0
ROOM = 300.0
"""What a name beside the circle may take."""
GAP = 19.0
"""How far apart two names stand on the circle, at least."""
SPOTS = tuple(n / 40 for n in (20, 16, 24, 12, 28, 10, 30, 8, 32, 6, 34))
"""Where along its line a label is tried, the middle first."""
Point = tuple[float, float]


@dataclass(slots=True)
class _Places:
    """Where everything stands, and the boxes that words already take."""

    bodies: dict[str, Point]
    hubs: dict[str, Point]
    centre: Point
    taken: list[tuple[float, float, float, float]]

    def free(self, at: Point, words: str, size: float) -> bool:
        """Whether words fit there; if so the room is theirs."""
        half, high = width(words, size) / 2 + 3, size / 2 + 3
        box = (at[0] - half, at[1] - high, at[0] + half, at[1] + high)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in self.taken):
            return False
        self.taken.append(box)
        return True


def draw(network: Network, words: Words) -> str:
    """The whole network as an SVG document."""
    order = sorted(network.bodies.values(), key=lambda body: (body.type, body.name))
    members = network.members()
    radius = max(520.0, len(order) * GAP / (2 * pi) + 40)
    half = radius + ROOM
    places = _placed(order, members, radius, (half + 24, HEAD + half))
    hubs = [part for name in members for part in _hub(name, network, places)]  # first: their names take their room
    lines = [part for tie in network.ties if tie.agreement not in members for part in _pair(tie, places)]
    names = [_name(body, places) for body in order]
    bottom = HEAD + 2 * half + 8
    legend = legend_of(network, 24, bottom, 2 * half)
    size = (2 * half + 48, bottom + legend_height(network))
    return words.document(size, [*lines, *hubs, *names, *legend])


def _placed(order: Sequence[Body], members: Mapping[str, Sequence[str]], radius: float, centre: Point) -> _Places:
    """Two shells: bodies outside in their order, agreements of several inside, each towards its members."""
    graph: nx.Graph[str] = nx.Graph()
    outer = [f"body {body.id}" for body in order]
    graph.add_nodes_from(outer)
    circle = nx.shell_layout(graph, [outer], scale=1)
    bodies = {name.removeprefix("body "): _at(xy, radius, centre) for name, xy in circle.items()}
    inner = sorted(members, key=lambda name: (_angle(members[name], bodies, centre), name))
    graph.add_nodes_from(inner)
    ring = nx.shell_layout(graph, [inner], scale=1) if len(inner) > 1 else dict.fromkeys(inner, (0.0, 0.0))
    hubs = {name: _at(xy, radius * INNER, centre) for name, xy in ring.items()}
    hubs = _apart(hubs, {name: width(f"▲ Framework {name}", 13) for name in hubs})
    return _Places(bodies, hubs, centre, [])


def _apart(hubs: dict[str, Point], names: Mapping[str, float]) -> dict[str, Point]:
    """The same points moved up and down until no plate lies on another; each pass settles some, so few are needed."""
    placed = dict(hubs)
    for _ in range(200):
        close = [pair for pair in combinations(sorted(placed), 2) if _overlap(pair, placed, names)]
        for one, other in close:
            upper, lower = sorted((one, other), key=lambda name: (placed[name][1], name))
            placed[upper] = placed[upper][0], placed[upper][1] - 2
            placed[lower] = placed[lower][0], placed[lower][1] + 2
    return placed


def _overlap(pair: tuple[str, str], placed: Mapping[str, Point], names: Mapping[str, float]) -> bool:
    (ax, ay), (bx, by) = placed[pair[0]], placed[pair[1]]
    return abs(ax - bx) < (names[pair[0]] + names[pair[1]]) / 2 + 10 and abs(ay - by) < PLATE + 8


def _at(xy: Any, radius: float, centre: Point) -> Point:
    return centre[0] + float(xy[0]) * radius, centre[1] + float(xy[1]) * radius


def _angle(members: Sequence[str], bodies: Mapping[str, Point], centre: Point) -> float:
    x = sum(bodies[name][0] - centre[0] for name in members)
    y = sum(bodies[name][1] - centre[1] for name in members)
    return round(atan2(y, x) % (2 * pi), 6)


def _name(body: Body, places: _Places) -> str:
    """The name beside its point, turned so that it reads away from the circle and never upside down."""
    (x, y), (cx, cy) = places.bodies[body.id], places.centre
    angle = degrees(atan2(y - cy, x - cx))
    flipped = not -90 <= round(angle, 3) <= 90
    out = 12 / hypot(x - cx, y - cy)
    tx, ty = x + (x - cx) * out, y + (y - cy) * out
    words = body.name if not body.formerly else f"{body.name}, formerly {', '.join(body.formerly)}"
    turn = f"rotate({svg.number(angle + (180 if flipped else 0))} {svg.number(tx)} {svg.number(ty)})"
    label = svg.text(
        tx,
        ty + 4.5,
        shortened(words, NAME, ROOM - 24),
        NAME,
        transform=turn,
        text_anchor="end" if flipped else "start",
    )
    dot = svg.element("circle", {"cx": x, "cy": y, "r": 5.0, "fill": svg.INK})
    return svg.group([dot, label], f"{words} ({body.type.replace('-', ' ')})")


def _pair(tie: Tie, places: _Places) -> Iterator[str]:
    start, end = (places.bodies[name] for name in tie.ends)
    bend = _towards((_middle(start, end)), places.centre, 0.55)
    yield _line(tie, start, bend, end)
    yield from _label(tie, (start, bend, end), places)


def _line(tie: Tie, start: Point, bend: Point, end: Point) -> str:
    points = [f"{svg.number(x)} {svg.number(y)}" for x, y in (start, bend, end)]
    style = {**svg.line_of(tie.instrument), "stroke-opacity": 0.75}
    path = svg.element("path", {"d": f"M{points[0]} Q{points[1]} {points[2]}", **style})
    colour = svg.STYLES.get(tie.instrument, (svg.INK, 2.0, ""))[0]
    heads = [svg.arrow(_short_of(end, bend), _unit(bend, end), colour)] if tie.there else []
    heads += [svg.arrow(_short_of(start, bend), _unit(bend, start), colour)] if tie.back else []
    return svg.group([path, *heads], ". ".join([tie.title, *tie.marks]))


def _label(tie: Tie, curve: tuple[Point, Point, Point], places: _Places) -> Iterator[str]:
    """The short name of the instrument on its line, where there is room for it; a mark in front where one is due."""
    words = f"{'▲ ' if tie.marks else ''}{SHORT.get(tie.instrument, tie.instrument)}"
    for share in SPOTS:
        at = _on(curve, share)
        if places.free(at, words, 12):
            yield _plate(at, words, 12, alert=bool(tie.marks))
            return


def _plate(at: Point, words: str, size: float, *, alert: bool) -> str:
    wide = width(words, size) + 4
    box = {"x": at[0] - wide / 2, "y": at[1] - size / 2 - 2, "width": wide, "height": size + 4, "rx": 3}
    paper = svg.element("rect", {**box, "fill": svg.PAPER, "fill-opacity": 0.92})
    ink = {"fill": svg.ALERT, "font_weight": 700} if alert else {}
    return paper + svg.text(at[0], at[1] + size * 0.36, words, size, text_anchor="middle", **ink)


def _hub(name: str, network: Network, places: _Places) -> Iterator[str]:
    """An agreement of several bodies: spokes to each, in its own line style, and its name where they meet."""
    at = places.hubs[name]
    ties = [tie for tie in network.ties if tie.agreement == name]
    ways: dict[str, set[str]] = defaultdict(set)
    for tie in ties:
        for end, hears, speaks in ((tie.ends[0], tie.back, tie.there), (tie.ends[1], tie.there, tie.back)):
            ways[end] |= ({"hears"} if hears else set()) | ({"speaks"} if speaks else set())
    spokes = [_spoke(ties[0], places.bodies[end], at, hears="hears" in way) for end, way in sorted(ways.items())]
    marked = any(tie.marks for tie in ties)
    words = f"{'▲ ' if marked else ''}{SHORT.get(ties[0].instrument, '')} {name}"
    places.free(at, words, 13)
    wide = width(words, 13) + 16
    box = {"x": at[0] - wide / 2, "y": at[1] - 13, "width": wide, "height": PLATE, "rx": PLATE / 2, "fill": "#fdf6e7"}
    plate = svg.element("rect", {**box, "stroke": svg.INK})
    ink = {"fill": svg.ALERT} if marked else {}
    text = svg.text(at[0], at[1] + 4.5, words, 13, text_anchor="middle", font_weight=700, **ink)
    marks = sorted({mark for tie in ties for mark in tie.marks})
    yield svg.group([*spokes, plate, text], ". ".join([ties[0].title, *marks]))


def _spoke(tie: Tie, body: Point, hub: Point, *, hears: bool) -> str:
    style = {**svg.line_of(tie.instrument), "stroke-opacity": 0.6}
    ends = [f"{svg.number(x)} {svg.number(y)}" for x, y in (hub, body)]
    path = svg.element("path", {"d": f"M{ends[0]} L{ends[1]}", **style})
    colour = svg.STYLES.get(tie.instrument, (svg.INK, 2.0, ""))[0]
    return path + (svg.arrow(_short_of(body, hub), _unit(hub, body), colour) if hears else "")


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _towards(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _unit(a: Point, b: Point) -> Point:
    length = hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length


def _short_of(tip: Point, origin: Point) -> Point:
    """Just before the point of a body."""
    dx, dy = _unit(origin, tip)
    return tip[0] - 6 * dx, tip[1] - 6 * dy


def _on(curve: tuple[Point, Point, Point], share: float) -> Point:
    (ax, ay), (bx, by), (cx, cy) = curve
    one, two, three = (1 - share) ** 2, 2 * (1 - share) * share, share**2
    return one * ax + two * bx + three * cx, one * ay + two * by + three * cy
