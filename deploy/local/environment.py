"""The one place of the runner that reads the process's environment."""

import os
from pathlib import Path

_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_OWN = ("CONCORDAT_CACHE_DIR", "CONCORDAT_SHARED_CACHE_DIR", "CONCORDAT_SHARED_DATA_DIR", "XDG_CACHE_HOME", "M2_REPO")
# How the fetching of jars gets out; a service that goes through a proxy would tell it what it tells a recipient.
_WAY_OUT = (
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "all_proxy", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
ROOT = Path(__file__).resolve().parents[2]


def cache_dir() -> Path:
    """Where downloaded parts are kept: CONCORDAT_CACHE_DIR, else the user's cache folder."""
    named = _read("CONCORDAT_CACHE_DIR")
    if named:
        return Path(named)
    return Path(_read("XDG_CACHE_HOME") or Path.home() / ".cache") / "concordat"


def shared_cache_dir() -> Path:
    """Where the unprivileged Postgres user can read a copy of the engine, used only when root starts it."""
    return Path(_read("CONCORDAT_SHARED_CACHE_DIR") or "/var/cache/concordat")


def shared_data_dir() -> Path:
    """Where that user's data lies when the data folder is in a place that it cannot reach."""
    return Path(_read("CONCORDAT_SHARED_DATA_DIR") or "/var/lib/concordat")


def inherited() -> dict[str, str]:
    """What every child process is told of our own environment; nothing else is handed on."""
    return {name: value for name in _HANDED_ON if (value := _read(name))}


def own_settings() -> dict[str, str]:
    """The settings of the runner itself and its way to the network, for a runner that is started by another."""
    return {name: value for name in (*_OWN, *_WAY_OUT) if (value := _read(name))}


def python_environment() -> dict[str, str]:
    """The environment in which a child finds this very installation of the product."""
    return {**inherited(), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _read(name: str) -> str:
    return os.environ.get(name, "")  # noqa: TID251 - the one place; a settings class would serve four names
