"""What a decision is made of is never changed in place: several read one snapshot, and it is swapped whole."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import shared.agreements

# A calendar keeps its working days where it has counted them; the book of a reader fills with what is wrong.
WITHOUT_SLOTS, CHANGED_IN_PLACE = {"Calendar"}, {"Book"}


def _values() -> Iterator[type]:
    for found in pkgutil.walk_packages(shared.agreements.__path__, "shared.agreements."):
        module: Any = importlib.import_module(found.name)
        own = (kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == found.name)
        yield from filter(is_dataclass, own)


def test_every_value_is_frozen_but_the_book_of_a_reader() -> None:
    changed = {kind.__name__ for kind in _values() if "__setattr__" not in vars(kind)}
    assert changed == CHANGED_IN_PLACE


def test_every_value_has_slots_but_a_calendar() -> None:
    """A graph is a hundred thousand of them."""
    assert {kind.__name__ for kind in _values() if "__slots__" not in vars(kind)} == WITHOUT_SLOTS
