"""Each suite runs twice: on what the unit tests use, and on the real Postgres."""

import pytest

from tests.support.stack import TestPostgres


@pytest.fixture(params=["in-memory", pytest.param("postgres", marks=pytest.mark.stack)])
def postgres(request: pytest.FixtureRequest) -> TestPostgres | None:
    """The real Postgres, or None; asked for outside any event loop, as a session's fixture must be."""
    return None if request.param == "in-memory" else request.getfixturevalue("postgres_engine")
