"""What every picture has around it: its title, its day, and the legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.draw import svg
from deploy.draw.network import Network
from deploy.draw.words import INSTRUMENTS, SHORT, width

HEAD = 104.0
LEGEND_ROW = 26.0
SAMPLE = 56.0


@dataclass(frozen=True, slots=True)
class Words:
    """The title of a picture, the line below it, and its description in full sentences."""

    title: str
    below: str
    desc: str

    def document(self, size: tuple[float, float], parts: Sequence[str]) -> str:
        """The picture under its title."""
        head = [
            svg.text(24, 44, self.title, 26, font_weight=700),
            svg.text(24, 72, self.below, 15, fill=svg.QUIET),
        ]
        return svg.document(size, self.title, self.desc, [*head, *parts])


def words_of(network: Network, subject: str, known_at: str) -> Words:
    """What is said about a picture; `known_at` is "" for what is known now."""
    day = f"{network.day.day} {network.day:%B %Y}"
    marked = len({tie.agreement for tie in network.ties if tie.marks})
    others = ", ".join(f"{count} {name}" for name, count in sorted(network.idle.items()))
    below = f"Agreements and duties in force on {day}{f', as known at {known_at}' if known_at else ''}"
    agreements = len({tie.agreement for tie in network.ties})
    counts = f"{len(network.bodies)} bodies, {agreements} agreements and duties, {marked} to be looked at"
    desc = f"{below}. {counts}. " + "; ".join(
        f"{network.bodies[a].name} and {network.bodies[b].name}: {INSTRUMENTS.get(t.instrument, t.instrument)}"
        f" {t.agreement}{_marks(t.marks)}"
        for t in network.ties
        for a, b in [t.ends]
    )
    return Words(subject, f"{below}: {counts}{f' (not drawn: {others})' if others else ''}.", desc + ".")


def _marks(marks: Sequence[str]) -> str:
    return f" ({', '.join(marks)})" if marks else ""


def _entries(network: Network) -> list[tuple[str, str]]:
    used = [name for name in INSTRUMENTS if any(tie.instrument == name for tie in network.ties)]
    return [(name, _both(SHORT[name], INSTRUMENTS[name])) for name in used]


def _both(short: str, name: str) -> str:
    return name if short == name else f"{short}: {name}"


def legend_height(network: Network) -> float:
    """The height that the legend takes, at most."""
    return LEGEND_ROW * 3 + 16 + (LEGEND_ROW if len(_entries(network)) > 4 else 0)


def legend_of(network: Network, left: float, top: float, wide: float) -> Iterator[str]:
    """A sample of each line that is drawn, of the arrow and of the mark."""
    yield svg.element("line", {"x1": left, "x2": left + wide, "y1": top, "y2": top, "stroke": "#b8c0c8"})
    x, y = left, top + LEGEND_ROW
    for name, label in _entries(network):
        room = SAMPLE + 14 + width(label, 13) + 28
        if x + room > left + wide:
            x, y = left, y + LEGEND_ROW
        sample = f"M{svg.number(x)} {svg.number(y)} h{svg.number(SAMPLE)}"
        yield svg.element("path", {"d": sample, **svg.line_of(name)})
        yield svg.text(x + SAMPLE + 10, y + 5, label, 13)
        x += room
    y += LEGEND_ROW
    yield svg.arrow((left + 34, y), (1.0, 0.0), svg.INK)
    yield svg.text(left + SAMPLE + 10, y + 5, "may tell the body at its tip; without an arrow: on record only", 13)
    yield svg.text(left + 520, y + 5, "▲", 13, fill=svg.ALERT, font_weight=700)
    yield svg.text(
        left + 540, y + 5, "in force, and to be looked at: a review is overdue, or a successor inherited it", 13
    )
