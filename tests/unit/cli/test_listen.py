"""What is pulled is forwarded in order, signed, once each, and goes on where it stopped."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from deploy.cli.listen import Listener
from services.notifier.domain.signature import verify
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_fakes import KEYS


@dataclass
class ThreeNotices:
    """An inbox of three, two a page; a cursor is a number."""

    asked: list[str] = field(default_factory=list)

    async def get(self, org: str, service: str, path: str, **query: str | int) -> Any:
        assert (org, service, path) == ("gmc", "notifier", "/v1/inbox")
        after = str(query["after"])
        self.asked.append(after)
        start = int(after or 0)
        found = [_item(n) for n in range(start, 3)][:2]
        return {"items": found, "next": str(start + len(found))}


def _item(number: int) -> dict[str, Any]:
    name = f"ntc_{number}"
    return {"notice_id": name, "after": str(number + 1), "kind": "tell", "event": {"id": name}}


@dataclass
class Local:
    """A local address that takes what its script says, and everything after that."""

    script: list[int] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        verify([KEYS.secret], dict(request.headers), body, now_seconds=NOON.timestamp())
        status = self.script.pop(0) if self.script else 204
        if status == 204:
            self.taken.append(orjson.loads(body)["id"])
        return httpx.Response(status)


def listener(inbox: ThreeNotices, local: Local, folder: Path) -> Listener:
    http = httpx.AsyncClient(transport=httpx.MockTransport(local))
    return Listener(inbox, "gmc", "http://127.0.0.1:9/", KEYS, folder / "place", FrozenClock(), http)


async def test_all_is_forwarded_once_in_order_and_a_second_run_goes_on(tmp_path: Path) -> None:
    inbox, local = ThreeNotices(), Local()
    first = listener(inbox, local, tmp_path)
    assert [await first.turn() for _ in range(3)] == [2, 1, 0]
    assert await listener(inbox, local, tmp_path).turn() == 0
    assert local.taken == ["ntc_0", "ntc_1", "ntc_2"]
    assert inbox.asked == ["", "2", "3", "3"]


async def test_what_is_not_taken_is_forwarded_again_and_nothing_overtakes_it(tmp_path: Path) -> None:
    inbox, local = ThreeNotices(), Local([204, 500])
    one = listener(inbox, local, tmp_path)
    assert await one.turn() == 1
    assert local.taken == ["ntc_0"]
    assert await one.turn() == 2
    assert local.taken == ["ntc_0", "ntc_1", "ntc_2"]
