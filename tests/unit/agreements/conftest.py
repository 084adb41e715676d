"""`pytest tests/unit/agreements --hypothesis-profile=nightly` looks much harder."""

from hypothesis import settings

settings.register_profile("nightly", max_examples=500, deadline=None)
