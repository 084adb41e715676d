"""In-memory ports of intake, concerns to send, tokens to send them with, and the app on a store of one's choice."""

import asyncio
import base64
import copy
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from services.intake.adapters.rows import closing_name, outbox_rows
from services.intake.domain.model import (
    Answer,
    ConcernId,
    ConcernRecord,
    Entry,
    NaturalKey,
    Page,
    Reader,
    Stored,
    VersionRecord,
)
from services.intake.entrypoints.http import FAULTS, Desk, accept_batch, routes
from services.intake.ports import Acceptance, Archive, Register
from services.intake.usecases import Keys, accept_concerns, submit_concern
from shared.batching import Batcher
from shared.db.outbox import OutboxRow
from shared.faults import PositionMoved, StoreUnavailable
from shared.http.app import Edge, make_app
from shared.http.auth import Verifier
from shared.records import Span
from shared.sealing import SecretKey
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.support.clock import FrozenClock
from tests.support.issuers import keys_at_hand

ISSUER = "https://issuer.test"
AUDIENCE = "concordat"
BODY_BYTES_MAX = 262_144
KEYS = Keys(SecretKey.of(b"s" * 32), SecretKey.of(b"t" * 32))
SCOPES = "concerns:write concerns:read"
_SIGNING = Ed25519PrivateKey.from_private_bytes(b"i" * 32)


class InMemoryIntake:
    """The store of intake, in memory: it begins transactions and it is the archive."""

    def __init__(self) -> None:
        self.accepted: dict[NaturalKey, Acceptance] = {}
        self.entries: dict[str, Entry] = {}
        self.closed: set[str] = set()
        self.offered: list[OutboxRow] = []
        self.next_offsets: dict[tuple[str, str, int], int] = {}
        self.commit_count = 0
        self.away = False

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator["InMemoryTransaction"]:
        if self.away:
            raise StoreUnavailable("away")
        tx = InMemoryTransaction(self)
        for span in spans:
            tx.advance(span)
        yield tx
        tx.commit()

    async def accept(self, acceptances: Sequence[Acceptance]) -> frozenset[ConcernId]:
        if self.away:
            raise StoreUnavailable("away")
        new: dict[NaturalKey, Acceptance] = {}
        for acceptance in acceptances:
            if acceptance.concern.key not in self.accepted:
                new.setdefault(acceptance.concern.key, acceptance)
        self.accepted.update(new)
        self.offered += [row for acceptance in new.values() for row in outbox_rows(acceptance)]
        self.commit_count += 1
        return frozenset(acceptance.concern.id for acceptance in new.values())

    async def stored(self, keys: Sequence[NaturalKey]) -> Mapping[NaturalKey, Stored]:
        concerns = {key: self.accepted[key].concern for key in keys if key in self.accepted}
        return {key: Stored(concern.id, concern.body_mac) for key, concern in concerns.items()}

    async def concern(self, concern_id: ConcernId, reader: Reader) -> ConcernRecord | None:
        return next((record for record in self._visible(reader) if record.id == concern_id), None)

    async def concerns(self, page: Page, reader: Reader) -> Sequence[ConcernRecord]:
        def place(record: ConcernRecord) -> tuple[Any, str]:
            return record.versions[0].accepted_at, record.id

        records = sorted(self._visible(reader), key=place, reverse=True)
        after = page.after
        return [record for record in records if after is None or place(record) < after][: page.limit]

    def _visible(self, reader: Reader) -> Sequence[ConcernRecord]:
        concerns = [acceptance.concern for acceptance in self.accepted.values()]
        return [
            ConcernRecord(
                c.id,
                c.key.originator,
                c.key.originator_ref,
                (VersionRecord(c.key.version, c.digest, c.accepted_at, c.received_at, c.flags),),
                tuple(entry for entry in self.entries.values() if entry.concern_id == c.id),
            )
            for c in concerns
            if reader.org in (None, c.key.originator)
        ]

    def clear(self) -> None:
        """Forget everything."""
        self.__dict__.update(vars(InMemoryIntake()))

    @property
    def bare(self) -> bool:
        """Whether nothing was ever stored."""
        return not (self.accepted or self.offered or self.entries or self.commit_count)


class InMemoryTransaction:
    """Keeps what is said until the commit."""

    def __init__(self, store: InMemoryIntake) -> None:
        self._store = store
        self._entries: dict[str, Entry] = {}
        self._closed: set[str] = set()
        self._offsets: dict[tuple[str, str, int], int] = {}

    def advance(self, span: Span) -> None:
        where = (span.group, span.topic, span.partition)
        if self._store.next_offsets.get(where, 0) != span.first:
            raise PositionMoved(span.group)
        self._offsets[where] = span.last + 1

    async def note(self, entries: Sequence[Entry]) -> None:
        known = {acceptance.concern.id for acceptance in self._store.accepted.values()}
        for entry in entries:
            if entry.concern_id in known and entry.event_id not in self._store.entries:
                self._entries.setdefault(entry.event_id, entry)

    async def close(self, versions: Sequence[tuple[ConcernId, int]]) -> None:
        self._closed.update(closing_name(*version) for version in versions)

    def commit(self) -> None:
        self._store.entries.update(self._entries)
        self._store.closed.update(self._closed)
        self._store.next_offsets.update(self._offsets)
        self._store.commit_count += 1


class QuietTelemetry(Telemetry):
    """Keeps its lines."""

    def __init__(self) -> None:
        super().__init__("intake", clock=FrozenClock())
        self.lines: list[dict[str, Any]] = []

    def line(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})

    @property
    def text(self) -> str:
        """All lines as one text, to be searched."""
        return json.dumps(self.lines, default=str)


@dataclass
class Front:
    """The app of intake on a store, as its clients see it."""

    app: FastAPI
    batcher: Batcher[Acceptance, Answer]
    telemetry: QuietTelemetry
    clock: FrozenClock

    def renew(self) -> None:
        """Forget what was, so that the next test can use the same app: to make one takes longer than most tests."""
        self.telemetry.lines.clear()
        self.clock.moment = FrozenClock().moment
        self.batcher._arrived = asyncio.Event()  # an event belongs to the loop that first waited for it

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client; the batches flow while it is open."""
        owner = asyncio.create_task(self.batcher.run())
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://intake.test") as client:
            yield client
        owner.cancel()
        await asyncio.gather(owner, return_exceptions=True)


@dataclass(frozen=True)
class Rules:
    """What a deployment sets."""

    allow_historic: bool = True
    waiting_max: int = 1000
    clock: FrozenClock = field(default_factory=FrozenClock)


def front_of(register: Register, archive: Archive, rules: Rules | None = None) -> Front:
    """The real app, use cases and batcher on this store."""
    rules = rules or Rules()
    telemetry = QuietTelemetry()
    batcher: Batcher[Acceptance, Answer] = Batcher(
        partial(
            accept_batch, accept=partial(accept_concerns, register=register), telemetry=telemetry, ended=lambda: None
        ),
        batch_size_max=256,
        waiting_max=rules.waiting_max,
    )
    submit = partial(
        submit_concern, keys=KEYS, clock=rules.clock, allow_historic=rules.allow_historic, accept=batcher.submit
    )
    edge = Edge(Health(30), telemetry, verifier_of(rules.clock), FAULTS, BODY_BYTES_MAX)
    return Front(make_app("intake", routes(Desk(submit, archive)), edge), batcher, telemetry, rules.clock)


def verifier_of(clock: FrozenClock) -> Verifier:
    """The real verifier, with the issuer's key at hand so that it needs no network."""
    raw = _SIGNING.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k1", "alg": "EdDSA"}
    return Verifier(keys_at_hand({ISSUER: jwk}), audience=AUDIENCE, clock=clock)


def bearer(org: str = "cqc", scope: str = SCOPES, **claims: Any) -> dict[str, str]:
    """The header of a good token, or of one with other claims."""
    now = int(FrozenClock().now().timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": f"{org}-cases", "org": org, "scope": scope, "roles": []}
    token = jwt.encode(
        {**good, "iat": now - 5, "exp": now + 600, **claims},
        _SIGNING,
        algorithm="EdDSA",
        headers={"kid": "k1", "typ": "at+jwt"},
    )
    return {"authorization": f"Bearer {token}"}


OPERATOR = bearer("operators", roles=["operator"])
JSON_TYPE = {"content-type": "application/json"}
EVENT_TYPE = {"content-type": "application/cloudevents+json"}

_PLAIN: dict[str, Any] = {
    "originator": "cqc",
    "originator_ref": "R-1",
    "version": 1,
    "categories": ["ftp-performance"],
    "subjects": [
        {
            "kind": "registrant",
            "registers": ["gmc"],
            "name": "Dr Canary Name",
            "identifiers": [{"scheme": "gmc-number", "value": "4012345"}],
        }
    ],
    "summary": "Canary summary.",
    "nation": "england",
    "urgency": "urgent",
}


def a_concern(**changes: Any) -> dict[str, Any]:
    """A good concern, with changes; a field set to None is left out."""
    body = {**copy.deepcopy(_PLAIN), **changes}
    return {name: value for name, value in body.items() if value is not None}


def changed(path: Sequence[str | int], value: Any) -> dict[str, Any]:
    """A good concern with one value, anywhere in it, replaced."""
    body = a_concern()
    node: Any = body
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return body
