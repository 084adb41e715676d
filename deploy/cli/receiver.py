"""`concordat receiver`: a recipient's side, which verifies every delivery and writes it down before it answers."""

import asyncio
import base64
import hashlib
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson
import uvloop
from aiohttp import web

from deploy.cli.opener import NotOpened, PrivateKeys
from services.notifier.domain.consent import ALLOWED_ORIGIN, ALLOWED_RATE, ORIGIN_HEADER
from services.notifier.domain.signature import (
    PUBLIC_PREFIX,
    SecretRefused,
    SignatureRefused,
    public_bytes,
    secret_bytes,
    verify,
)
from shared.clock import Clock, SystemClock
from shared.contracts.envelope import rfc3339

BODY_BYTES_MAX = 1024 * 1024
STOP_SECONDS = 2.0
UNREADABLE = 415


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a request is answered: a status, after a pause in seconds; None never answers."""

    status: int = 204
    pause_seconds: float | None = 0.0

    @classmethod
    def parse(cls, text: str) -> "Behaviour":
        """Read `slow:SECONDS`, `status:CODE` or `hang`. Raises ValueError for anything else."""
        name, _, value = text.partition(":")
        match name:
            case "hang" if not value:
                return cls(pause_seconds=None)
            case "slow":
                return cls(pause_seconds=float(value))
            case "status" if 200 <= int(value) <= 599:
                return cls(status=int(value))
            case _:
                raise ValueError("a behaviour is slow:SECONDS, status:CODE or hang")


@dataclass(frozen=True, slots=True, repr=False)
class Proofs:
    """What a delivery may be verified with: secrets for `v1`, public keys for `v1a`."""

    secrets: tuple[bytes, ...] = ()
    public_keys: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, held: object) -> "Proofs":
        """Read one text or a list of them. Raises SecretRefused."""
        texts = [str(text) for text in (held if isinstance(held, list) else [held])]
        public = tuple(public_bytes(text) for text in texts if text.startswith(PUBLIC_PREFIX))
        return cls(tuple(secret_bytes(text) for text in texts if not text.startswith(PUBLIC_PREFIX)), public)


class Secrets:
    """The secrets and public keys by organisation, read again whenever the file has changed.

    The file holds one `whsec_…` (v1) or `whpk_…` (v1a) text, a JSON list of them (each valid for every path), or a
    JSON object that maps an organisation (the last part of the path) to its text or list of texts.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._by_org: Mapping[str, Proofs] = {}
        self._for_all = Proofs()

    def of(self, path: str) -> Proofs:
        """What may prove a delivery to this path. Raises OSError, ValueError, SecretRefused."""
        stat = self._file.stat()
        if self._seen != (stat.st_mtime_ns, stat.st_size):
            self._read()
            self._seen = (stat.st_mtime_ns, stat.st_size)
        own, all_ = self._by_org.get(path.rpartition("/")[2], Proofs()), self._for_all
        return Proofs((*own.secrets, *all_.secrets), (*own.public_keys, *all_.public_keys))

    def _read(self) -> None:
        text = self._file.read_text().strip()
        held = json.loads(text) if text[:1] in ("[", "{", '"') else text
        if isinstance(held, dict):
            self._by_org, self._for_all = {org: Proofs.read(value) for org, value in held.items()}, Proofs()
        else:
            self._by_org, self._for_all = {}, Proofs.read(held)


@dataclass(slots=True)
class Receiver:
    """What the server does with each request. Counts what came, for the last line."""

    secrets: Secrets
    out: BinaryIO | None
    behaviour: Behaviour
    clock: Clock
    as_json: bool
    keys: PrivateKeys | None = None
    verified_count: int = 0
    refused_count: int = 0
    hang: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Verify, write down, answer; who asks whether deliveries are welcome is told that they are."""
        if request.method == "OPTIONS" and ORIGIN_HEADER in request.headers:
            consent = {ALLOWED_ORIGIN: request.headers[ORIGIN_HEADER], ALLOWED_RATE: "*"}
            return web.Response(status=204, headers=consent)
        if request.method != "POST":
            return web.json_response({"status": "alive"}) if request.path == "/healthz" else web.Response(status=405)
        line = self._receipt(request, await request.read())
        self._write(line)
        if not line["signature_ok"]:
            return web.Response(status=401, text=f"{line['reason']}\n")
        if line["reason"]:
            return web.Response(status=UNREADABLE, text=f"{line['reason']}\n")
        await self._pause()
        return web.Response(status=self.behaviour.status)

    def _receipt(self, request: web.BaseRequest, body: bytes) -> dict[str, Any]:
        now = self.clock.now()
        fault = self._fault(request, body, now)
        event = _event(body)
        opened = {} if fault else self._opened(event)
        return {
            "received_at": rfc3339(now),
            "path": request.path,
            "webhook_id": request.headers.get("webhook-id", ""),
            "signature_ok": not fault,
            "reason": fault,
            "type": str(event.get("type", "")),
            "subject": str(event.get("subject", "")),
            "sha256": hashlib.sha256(body).hexdigest(),
            "body": base64.b64encode(body).decode(),
            **opened,
        }

    def _opened(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """What was verified, as it is read with the keys; nothing without any."""
        if self.keys is None:
            return {}
        try:
            return {"data": self.keys.opened(event)}
        except NotOpened as why:
            return {"reason": str(why)}

    def _fault(self, request: web.BaseRequest, body: bytes, now: datetime) -> str:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            proofs = self.secrets.of(request.path)
            verify(proofs.secrets, headers, body, now_seconds=now.timestamp(), public_keys=proofs.public_keys)
        except (SignatureRefused, SecretRefused) as refused:
            return str(refused)
        except (OSError, ValueError) as error:
            return f"the secret file cannot be read: {type(error).__name__}"
        return ""

    def _write(self, line: dict[str, Any]) -> None:
        self.verified_count += line["signature_ok"]
        self.refused_count += not line["signature_ok"]
        if self.out is not None:
            self.out.write(orjson.dumps(line) + b"\n")
        if not self.as_json:
            click.echo(_for_people(line))
        elif self.out is None:
            click.echo(orjson.dumps(line))

    async def _pause(self) -> None:
        if self.behaviour.pause_seconds is None:
            await self.hang.wait()
        elif self.behaviour.pause_seconds:
            await asyncio.sleep(self.behaviour.pause_seconds)


@click.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8500, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="A secret or public key, a JSON list of them, or a JSON object {organisation: them}; read anew if it changes.",
)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A private JWK, or a JSON list of them: what is encrypted to it is shown decrypted. Made if it is not there.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Append one JSON line per request, before it is answered.")
@click.option("--behave", default="", help="For tests: slow:SECONDS, status:CODE or hang.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of words.")
def receiver(host: str, port: int, secret_file: Path, out: Path | None, **options: Any) -> None:
    """Receive notices, verify their signatures and show them. Ctrl-C ends it.

    The last part of the path names the organisation: register http://HOST:PORT/hooks/ORG as its endpoint.
    """
    try:
        behaviour = Behaviour.parse(options["behave"]) if options["behave"] else Behaviour()
    except ValueError as error:
        raise click.BadParameter("slow:SECONDS, status:CODE or hang", param_hint="--behave") from error
    # Unbuffered: a line is with the kernel before its request is answered.
    written = out.open("ab", buffering=0) if out else None
    secrets = Secrets(secret_file)
    try:
        secrets.of("/")
    except (SecretRefused, ValueError) as fault:
        what = f"{secret_file} holds no secret: {fault}"
        raise click.BadParameter(what, param_hint="--secret-file") from None
    keys = _private_keys(options["key_file"])
    made = Receiver(secrets, written, behaviour, SystemClock(), options["as_json"], keys)
    uvloop.run(_serve(made, host, port))


def _private_keys(file: Path | None) -> PrivateKeys | None:
    try:
        return PrivateKeys.at(file) if file else None
    except (OSError, ValueError) as fault:
        raise click.BadParameter(f"{file} holds no private key: {fault}", param_hint="--key-file") from None


async def _serve(made: Receiver, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.ServerRunner(web.Server(made.handle, access_log=None), shutdown_timeout=STOP_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
    except OSError as fault:
        await runner.cleanup()
        raise click.ClickException(f"{host}:{port} cannot be had ({fault.strerror}). Try another --port.") from None
    address = runner.addresses[0]
    if made.keys:
        public = json.dumps(made.keys.published)
        _say(made, {"encryption_key": made.keys.published}, f"Publish as encryption_key: {public}")
    _say(made, {"listening": f"http://{address[0]}:{address[1]}"}, f"Listening on http://{address[0]}:{address[1]}")
    await stop.wait()
    made.hang.set()
    await runner.cleanup()
    counts = {"verified": made.verified_count, "refused": made.refused_count}
    _say(made, counts, f"{made.verified_count} verified, {made.refused_count} refused")


def _say(made: Receiver, fields: Mapping[str, Any], words: str) -> None:
    click.echo(json.dumps(fields) if made.as_json else words)


def _for_people(line: Mapping[str, Any]) -> str:
    verdict = click.style("verified", fg="green") if line["signature_ok"] else click.style("REFUSED", fg="red")
    kind = str(line["type"]).removeprefix("uk.concordat.").removesuffix(".v1") or "?"
    told = f"{line['received_at'][11:23]}  {verdict}  {kind:<18} {line['path']}  {line['subject']}"
    return f"{told}  {line['reason']}".rstrip()


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return event if isinstance(event, dict) else {}
