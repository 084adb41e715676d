"""A matrix of bodies as a picture: SVG, by pattern and text as well as by colour, with a title and a description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT = 104, 52
FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
LEFT, TOP = 190, 96
LEGEND_HEIGHT = 40
INK = "#0b0c0c"


@dataclass(frozen=True, slots=True)
class Square:
    """One cell: a kind of `KINDS`, and what is written in it."""

    kind: str
    text: str


KINDS: Mapping[str, tuple[str, str]] = {
    "all": ("#cce2d8", "can be told of all of its remit"),
    "part": ("url(#part)", "of part of it"),
    "none": ("url(#none)", "of nothing in it"),
    "same": ("#f3f2f1", "the same body, or no remit"),
}
"""Fill and meaning of each kind. The ink has a contrast of at least 12:1 on every fill."""
_PATTERNS = """<defs>
<pattern id="part" width="10" height="10" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="10" height="10" fill="#fff7bf"/>
<line x1="0" y1="0" x2="0" y2="10" stroke="#8a6d00" stroke-width="1.5"/></pattern>
<pattern id="none" width="10" height="10" patternUnits="userSpaceOnUse">
<rect width="10" height="10" fill="#f6d7d2"/>
<path d="M0 0L10 10M10 0L0 10" stroke="#942514" stroke-width="1"/></pattern>
</defs>"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A matrix with its words: rows tell, columns are told."""

    title: str
    description: str
    names: Sequence[str]
    squares: Mapping[tuple[int, int], Square]


def draw(picture: Picture) -> str:
    """The picture as SVG, the same bytes for the same picture."""
    count = len(picture.names)
    width = LEFT + count * CELL_WIDTH + 10
    height = TOP + count * CELL_HEIGHT + LEGEND_HEIGHT + 20
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"',
            f'aria-labelledby="title description" font-family="{FONTS}" font-size="14"',
            f'fill="{INK}">',
            f'<title id="title">{escape(picture.title)}</title>',
            f'<desc id="description">{escape(picture.description)}</desc>',
            _PATTERNS,
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            f'<text x="10" y="24" font-size="18" font-weight="bold">{escape(picture.title)}</text>',
            '<text x="10" y="48">Rows tell, columns are told.</text>',
            *_heads(picture.names),
            *_cells(picture),
            *_legend(TOP + count * CELL_HEIGHT + 20),
            "</svg>\n",
        ]
    )


def _heads(names: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(names):
        x = LEFT + place * CELL_WIDTH + CELL_WIDTH // 2
        y = TOP + place * CELL_HEIGHT + CELL_HEIGHT // 2 + 5
        yield f'<text x="{x}" y="{TOP - 10}" text-anchor="middle" font-weight="bold">{escape(name)}</text>'
        yield f'<text x="{LEFT - 10}" y="{y}" text-anchor="end" font-weight="bold">{escape(name)}</text>'


def _cells(picture: Picture) -> Iterator[str]:
    for (row, column), square in sorted(picture.squares.items()):
        x, y = LEFT + column * CELL_WIDTH, TOP + row * CELL_HEIGHT
        yield _box(x, y, (CELL_WIDTH, CELL_HEIGHT), KINDS[square.kind][0])
        yield from _label(x + CELL_WIDTH // 2, y + CELL_HEIGHT // 2, square)


def _box(x: int, y: int, size: tuple[int, int], fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{size[0]}" height="{size[1]}" fill="{fill}" stroke="{INK}" stroke-width="1"/>'


def _label(x: int, y: int, square: Square) -> Iterator[str]:
    """On a plain ground of its own, so that no pattern runs through the letters."""
    width = 9 * len(square.text) + 8
    if square.kind in ("part", "none"):
        ground = "#fff7bf" if square.kind == "part" else "#f6d7d2"
        yield f'<rect x="{x - width // 2}" y="{y - 11}" width="{width}" height="22" fill="{ground}"/>'
    yield f'<text x="{x}" y="{y + 5}" text-anchor="middle">{escape(square.text)}</text>'


def _legend(y: int) -> Iterator[str]:
    x = 10
    for fill, meaning in KINDS.values():
        yield _box(x, y, (26, 20), fill)
        yield f'<text x="{x + 34}" y="{y + 15}" font-size="13">{escape(meaning)}</text>'
        x += 60 + 7 * len(meaning)
