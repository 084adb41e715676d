"""`pytest tests/unit/agreements --hypothesis-profile=nightly` looks much harder."""

from hypothesis import settings

settings.register_profile("nightly", max_examples=2000, deadline=None)
