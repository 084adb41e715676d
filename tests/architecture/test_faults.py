"""Every fault that a service raises has its answer, in the one table of its entrypoints."""

import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

import pytest

from tests.architecture.sources import SERVICES

EACH = pytest.mark.parametrize("service", SERVICES)


def tables(service: str) -> Iterator[Mapping[type[Exception], object]]:
    """The tables from fault to answer that the entrypoints hold themselves."""
    package = import_module(f"services.{service}.entrypoints")
    seen: set[int] = set()
    for module in pkgutil.iter_modules(package.__path__):
        for value in vars(import_module(f"{package.__name__}.{module.name}")).values():
            if _is_table(value) and id(value) not in seen:
                seen.add(id(value))
                yield value


def _is_table(value: object) -> bool:
    is_fault = all(inspect.isclass(k) and issubclass(k, Exception) for k in value) if isinstance(value, dict) else False
    return is_fault and bool(value)


def leaves(service: str) -> list[type[Exception]]:
    """The faults that are raised: those that no other fault is a kind of."""
    module = import_module(f"services.{service}.domain.errors")
    known = [value for value in vars(module).values() if inspect.isclass(value)]
    kinds = [kind for kind in known if issubclass(kind, Exception) and kind.__module__ == module.__name__]
    return [kind for kind in kinds if not any(other is not kind and issubclass(other, kind) for other in kinds)]


@EACH
def test_there_is_one_table(service: str) -> None:
    assert len(list(tables(service))) == 1


@EACH
def test_every_fault_of_the_domain_is_in_the_table(service: str) -> None:
    answered = {kind for table in tables(service) for kind in table}
    assert [fault.__name__ for fault in leaves(service) if not answered & set(fault.__mro__)] == []


@EACH
def test_the_tree_of_faults_is_drawn_where_they_are_defined(service: str) -> None:
    module = import_module(f"services.{service}.domain.errors")
    assert [fault.__name__ for fault in leaves(service) if fault.__name__ not in (module.__doc__ or "")] == []
