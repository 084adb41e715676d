"""The receivers of others: the packages `standardwebhooks` of PyPI and of npm, asked for their verdict."""

import base64
import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self

import pytest
from standardwebhooks import webhooks
from standardwebhooks.webhooks import Webhook

NPM = Path(__file__).parent / "npm"
NODE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Case:
    """A delivery as its receiver has it, the key that it is to verify with, and the moment at which it is read.

    The key is a secret (`whsec_...`, or without the prefix) or, for `v1a`, a public key (`whpk_...`).
    """

    headers: Mapping[str, str]
    body: bytes
    key: str
    now: float

    def changed(self, **headers: str) -> Self:
        """The same under other headers; `_` stands for `-`."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}})


Verdicts = Callable[[Sequence[Case]], Sequence[str]]
"""What a library makes of each case: nothing where it verifies, else why it does not."""


def pypi(cases: Sequence[Case]) -> list[str]:
    """The verdicts of the package of PyPI."""
    return [_pypi(case) for case in cases]


def _pypi(case: Case) -> str:
    class At(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(case.now, tz or UTC)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webhooks, "datetime", At)  # the package reads the clock itself
        try:
            Webhook(case.key).verify(case.body, dict(case.headers), json_parse=False)
        except Exception as refused:  # noqa: BLE001 - the package lets faults of base64 through, which refuse as well
            return f"{type(refused).__name__}: {refused}"
    return ""


def npm(cases: Sequence[Case]) -> list[str]:
    """The verdicts of the package of npm; for a public key, those of Node itself."""
    asked = [
        {
            "headers": dict(case.headers),
            "body": base64.b64encode(case.body).decode(),
            "publicKey" if case.key.startswith("whpk_") else "secret": case.key,
            "now": case.now,
        }
        for case in cases
    ]
    said = subprocess.run(  # noqa: S603 - our own program
        ["node", str(NPM / "verdicts.mjs")],  # noqa: S607 - `make check-interop` says that it needs node
        input=json.dumps(asked),
        capture_output=True,
        check=True,
        text=True,
        timeout=NODE_SECONDS,
    )
    verdicts: list[str] = json.loads(said.stdout)
    return verdicts
