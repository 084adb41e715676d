"""How wide a text is, where it breaks, and what the instruments are called."""

from __future__ import annotations

INSTRUMENTS = {
    "mou": "memorandum of understanding",
    "jwp": "joint working protocol",
    "isa": "information sharing agreement",
    "protocol": "Protocol",
    "framework": "Framework",
    "statutory": "duty in statute",
}
SHORT = {
    "mou": "MoU",
    "jwp": "JWP",
    "isa": "ISA",
    "protocol": "Protocol",
    "framework": "Framework",
    "statutory": "Duty",
}
_NARROW = frozenset("iIjlt.,:;'|!()[]-fr ")
_WIDE = frozenset("mwMW@%")


def width(text: str, size: float) -> float:
    """The width in pixels of a text at a size, never less than a common sans-serif font takes."""
    return sum(_units(character) for character in text) * size


def _units(character: str) -> float:
    if character in _NARROW:
        return 0.42
    if character in _WIDE:
        return 0.95
    return 0.73 if character.isupper() else 0.63


def wrapped(text: str, size: float, width_max: float) -> list[str]:
    """The text in lines of at most that width; a word that is wider stands alone."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(f"{lines[-1]} {word}", size) <= width_max:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def shortened(text: str, size: float, width_max: float) -> str:
    """The text, cut with an ellipsis where it is wider than that."""
    if width(text, size) <= width_max:
        return text
    while text and width(f"{text}…", size) > width_max:
        text = text[:-1]
    return f"{text.rstrip()}…"
