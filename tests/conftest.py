"""Fixtures of all levels: the engines start only for the tests that ask for them.

Properties take a few examples each, so that the unit level stays within seconds, and the same ones each time, so that
`make check` says the same twice. `--hypothesis-profile=nightly` (`make properties`) looks much harder, and elsewhere.
"""

import gc

from hypothesis import settings

pytest_plugins = ["tests.support.stack"]

settings.register_profile("quick", max_examples=10, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None)
settings.register_profile("mutants", max_examples=40, deadline=None, database=None)
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """What collecting has made stays to the end: no later round of the garbage collector looks at it again."""
    gc.freeze()
