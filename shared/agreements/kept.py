"""What is worked out once is kept up to a bound: once that is reached, all of it goes and is worked out anew."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


def keep(kept: dict[Key, Made], key: Key, made: Made, most: int) -> Made:
    """Keeps what was made among at most so many; what another thread kept meanwhile stands."""
    if len(kept) >= most:
        kept.clear()
    return kept.setdefault(key, made)
