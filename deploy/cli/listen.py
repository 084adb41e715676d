"""`concordat listen --forward URL`: pulls the inbox of an organisation and forwards each notice to a local address."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click
import httpx
import orjson

from deploy.cli.publish import system_of
from deploy.client import Refused
from deploy.local.files import write_private
from services.notifier.domain.message import CONTENT_TYPE
from services.notifier.domain.model import Keys
from services.notifier.domain.signature import SEED_BYTES, SecretRefused, secret_bytes, signed_headers
from shared.clock import Clock, SystemClock

FORWARD_SECONDS = 20.0
PAGE = 50


class Inbox(Protocol):
    """Where notices are pulled from."""

    async def get(self, org: str, service: str, path: str, **query: str | int) -> Any:
        """GET as a client of `org`."""
        ...


@dataclass(slots=True)
class Listener:
    """Forwards an inbox in order; what is not taken (2xx) is forwarded again, and nothing behind it before that.

    `place` keeps where to go on, so that a second run starts where the first ended.
    """

    inbox: Inbox
    org: str
    url: str
    keys: Keys
    place: Path
    clock: Clock
    http: httpx.AsyncClient
    is_stuck: bool = False
    """Whether the last turn met a notice that was not taken."""

    async def turn(self) -> int:
        """Forward one page; gives how many were taken. Raises Refused, Unreachable."""
        after = self.place.read_text() if self.place.exists() else ""
        page = await self.inbox.get(self.org, "notifier", "/v1/inbox", after=after, limit=PAGE)
        for count, item in enumerate(page["items"]):
            self.is_stuck = not await self._forward(item)
            if self.is_stuck:
                return count
            write_private(self.place, item["after"].encode())
        return len(page["items"])

    async def _forward(self, item: Mapping[str, Any]) -> bool:
        body = orjson.dumps(item["event"])
        at = int(self.clock.now().timestamp())
        signed = signed_headers([self.keys], webhook_id=item["notice_id"], timestamp=at, body=body)
        try:
            answer = await self.http.post(self.url, content=body, headers={"content-type": CONTENT_TYPE, **signed})
        except httpx.TransportError as error:
            click.echo(f"{item['notice_id']}  not forwarded: {type(error).__name__}", err=True)
            return False
        click.echo(f"{item['notice_id']}  {item['kind']:<10}  {answer.status_code}")
        return answer.is_success


@click.command()
@click.option("--forward", "url", required=True, help="Address that each notice is sent to by POST.")
@click.option("--org", required=True, help="Organisation whose inbox is pulled.")
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path(".data"), help="Of the running system.")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="A whsec_ text: what is forwarded is signed with it, as a delivery would be.",
)
@click.option("--every", "seconds", type=click.FloatRange(0.1, 3600), default=2.0, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Forward what there is, and end; exits 1 where something was not taken.")
def listen(url: str, org: str, data_dir: Path, secret_file: Path, **options: Any) -> None:
    """Pull the notices of ORG and forward them to URL, for a body that hosts no endpoint. Ctrl-C ends it.

    Each stays in the inbox until URL has answered 2xx. To forward is not to acknowledge: a person does that.
    """
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("an address begins with http:// or https://", param_hint="--forward")
    try:
        keys = Keys(secret_bytes(secret_file.read_text().strip()), bytes(SEED_BYTES))
    except (SecretRefused, UnicodeDecodeError) as refused:
        what = f"{secret_file} holds no whsec_ text: {refused}"
        raise click.BadParameter(what, param_hint="--secret-file") from None
    place = data_dir / f"listen-{org}.place"
    asyncio.run(_listen(url, org, (data_dir, place, keys), **options))


async def _listen(url: str, org: str, kept: tuple[Path, Path, Keys], *, seconds: float, once: bool) -> None:
    data_dir, place, keys = kept
    async with httpx.AsyncClient(timeout=FORWARD_SECONDS, trust_env=False) as http:
        listener = Listener(system_of(data_dir), org, url, keys, place, SystemClock(), http)
        while True:
            try:
                count = await listener.turn()
            except Refused as refused:
                raise click.ClickException(str(refused)) from None
            if once and not count:
                sys.exit(int(listener.is_stuck))
            if not count:
                await asyncio.sleep(seconds)
