"""What the fast path does one way for few and another way for many comes to the same: tests take either for either."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import strategies as st

from shared.agreements.fast import bits, layout

FEW = st.sampled_from([0, 1000])
"""Up to how many are few."""


@contextmanager
def counting_as_few(most: int) -> Iterator[None]:
    """Meanwhile as many are few, wherever that makes a difference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bits, "FEW", most)
        patch.setattr(layout, "FEW_GUARDS", most)
        patch.setattr(layout, "FEW_PIECES", most)
        yield
