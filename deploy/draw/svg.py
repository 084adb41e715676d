"""The few SVG elements that a picture needs, as text: dark on light, sizes in pixels of the view box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

INK = "#1b1f24"
QUIET = "#4a5460"
PAPER = "#ffffff"
ALERT = "#9b1c1c"
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
# Line style tells the instrument, its colour repeats it: (colour, width, dashes).
STYLES = {
    "mou": ("#1f4e79", 2.0, ""),
    "jwp": ("#0b6e4f", 4.0, ""),
    "isa": ("#7a3e9d", 2.0, "9 5"),
    "protocol": ("#8a4b08", 2.6, "12 4 2 4"),
    "framework": ("#556b2f", 2.6, "18 6"),
    "statutory": ("#343a40", 3.2, "2 4"),
}


def element(name: str, attributes: Mapping[str, object], content: str = "") -> str:
    """One element; `content` is markup."""
    written = "".join(f" {key}={quoteattr(_value(value))}" for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def _value(value: object) -> str:
    """Numbers with one decimal at most, so that the same picture is the same text everywhere."""
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0").replace("-0", "0" if -0.05 < value < 0.05 else "-0")
    return str(value)


def number(value: float) -> str:
    """A coordinate as it stands in a path."""
    return _value(float(value))


def text(x: float, y: float, words: str, size: float = 14, **attributes: object) -> str:
    """One line of text; `y` is its base line."""
    given = {key.replace("_", "-"): value for key, value in attributes.items()}
    return element("text", {"x": float(x), "y": float(y), "font-size": size, **given}, escape(words))


def line_of(instrument: str) -> dict[str, object]:
    """The stroke of an instrument."""
    colour, thick, dashes = STYLES.get(instrument, (INK, 2.0, ""))
    given: dict[str, object] = {"stroke": colour, "stroke-width": thick, "fill": "none"}
    return {**given, "stroke-dasharray": dashes} if dashes else given


def group(parts: Iterable[str], title: str = "") -> str:
    """Several elements as one; the title shows when the pointer rests on it, and is read out."""
    named = f"<title>{escape(title)}</title>" if title else ""
    return f"<g>{named}{''.join(parts)}</g>"


def arrow(tip: tuple[float, float], towards: tuple[float, float], colour: str) -> str:
    """An arrow head of fixed size at `tip`; `towards` is the unit vector along which it points."""
    (x, y), (dx, dy) = tip, towards
    left = (x - 11 * dx + 5 * dy, y - 11 * dy - 5 * dx)
    right = (x - 11 * dx - 5 * dy, y - 11 * dy + 5 * dx)
    points = " ".join(f"{number(px)},{number(py)}" for px, py in (tip, left, right))
    return element("polygon", {"points": points, "fill": colour})


def document(size: tuple[float, float], title: str, desc: str, parts: Sequence[str]) -> str:
    """The whole picture, with its title and description for those who do not see it."""
    wide, high = (number(side) for side in size)
    head = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {wide} {high}",
        "width": wide,
        "height": high,
        "role": "img",
        "aria-labelledby": "title desc",
        "font-family": FONT,
        "fill": INK,
    }
    paper = element("rect", {"width": wide, "height": high, "fill": PAPER})
    named = [f'<title id="title">{escape(title)}</title>', f'<desc id="desc">{escape(desc)}</desc>']
    return element("svg", head, "\n".join(["", *named, paper, *parts, ""])) + "\n"
