"""What a process that we start is told of our own environment."""

import pytest

from deploy.local import environment

WAY_OUT = {
    "HTTPS_PROXY": "http://proxy.example:3128",
    "no_proxy": "127.0.0.1",
    "REQUESTS_CA_BUNDLE": "/etc/ssl/own-authority.pem",
}


@pytest.fixture(autouse=True)
def _behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**WAY_OUT, "CONCORDAT_CACHE_DIR": "/srv/cache", "SECRET_OF_ANOTHER": "s"}.items():
        monkeypatch.setenv(name, value)


def test_a_runner_that_another_starts_fetches_by_the_same_way_to_the_same_place() -> None:
    told = {**environment.python_environment(), **environment.own_settings()}
    assert told.items() >= {**WAY_OUT, "CONCORDAT_CACHE_DIR": "/srv/cache"}.items()
    assert "SECRET_OF_ANOTHER" not in told


def test_a_service_is_told_of_no_proxy() -> None:
    """It would tell the proxy what it tells a recipient."""
    assert environment.python_environment().keys().isdisjoint(WAY_OUT)
