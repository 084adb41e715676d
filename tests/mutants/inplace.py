"""Puts changed code into the functions of modules that are imported already, which spares importing them anew."""

from __future__ import annotations

import gc
import inspect
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

Place = tuple[str, str, int]


class Functions:
    """Every function under a folder that is there when this is made, by where it stands."""

    def __init__(self, folder: Path) -> None:
        self._by_place: dict[Place, list[FunctionType]] = defaultdict(list)
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(f"{folder}/"):
                self._by_place[_place(each.__code__)].append(each)

    def change(self, path: Path, before: str, after: str) -> bool:
        """False, and nothing done, where more than the bodies of functions differs, or one that is not there."""
        try:
            changed = list(_changed(compile(before, path, "exec"), compile(after, path, "exec")))
        except (SyntaxError, ValueError, _OutsideFunctions):
            return False
        if not changed or not all(self._by_place.get(_place(old)) for old, _ in changed):
            return False
        for old, new in changed:
            for function in self._by_place[_place(old)]:
                function.__code__ = new
        return True


class _OutsideFunctions(Exception):
    """What is done when the module is imported differs."""


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The outermost functions that differ, of a module or class. Raises _OutsideFunctions."""
    inside = list(zip(_nested(old), _nested(new), strict=True))
    if _itself(old) != _itself(new):
        raise _OutsideFunctions
    for one, other in inside:
        if not one.co_flags & inspect.CO_OPTIMIZED:
            yield from _changed(one, other)
        elif one != other:
            if one.co_freevars != other.co_freevars:
                raise _OutsideFunctions
            yield one, other


def _nested(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _itself(code: CodeType) -> tuple[object, ...]:
    """What it does, apart from what stands in the functions and classes inside it, as text: 1 is not 1.0 or True."""
    constants = [each.co_qualname if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return code.co_qualname, code.co_code, constants, code.co_names, code.co_varnames, code.co_exceptiontable
