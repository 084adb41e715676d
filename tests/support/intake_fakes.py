"""In-memory ports of intake, concerns to send, tokens to send them with, and the app on a store of one's choice."""

import asyncio
import base64
import copy
from collections import defaultdict
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

from services.intake.adapters.rows import closing_name, outbox_rows, recall_rows
from services.intake.domain.model import (
    Answer,
    Concern,
    ConcernId,
    ConcernRecord,
    Entry,
    NaturalKey,
    Page,
    Reader,
    Recall,
    Stored,
    Thread,
    VersionRecord,
)
from services.intake.domain.provenance import Source, Sources
from services.intake.entrypoints.bulk import BatchLimits
from services.intake.entrypoints.desk import FAULTS, Desk
from services.intake.entrypoints.http import accept_batch, routes, shortcuts
from services.intake.ports import Acceptance, Recalling
from services.intake.usecases import (
    FollowUpDesk,
    Keys,
    accept_concerns,
    amend_concern,
    recall_concern,
    submit_concern,
)
from shared.batching import Batcher
from shared.db.outbox import OutboxRow
from shared.faults import PositionMoved, StoreUnavailable
from shared.http.app import Edge, make_app
from shared.http.auth import Verifier
from shared.records import Span
from shared.sealing import SecretKey
from shared.supervision import Health
from tests.support.clock import FrozenClock
from tests.support.intake_quiet import QuietTelemetry, closure
from tests.support.issuers import keys_at_hand

ISSUER = "https://issuer.test"
AUDIENCE = "concordat"
BODY_BYTES_MAX = 262_144
LINES_MAX = 200
KEYS = Keys(SecretKey.of(b"s" * 32), SecretKey.of(b"t" * 32))
SCOPES = "concerns:write concerns:read"
_SIGNING = Ed25519PrivateKey.from_private_bytes(b"i" * 32)


class InMemoryIntake:
    """The store of intake, in memory: it begins transactions and it is the archive."""

    def __init__(self) -> None:
        self.accepted: dict[NaturalKey, Acceptance] = {}
        self.recalls: dict[ConcernId, Recalling] = {}
        self.waiting: dict[str, OutboxRow] = {}
        self.entries: dict[str, Entry] = {}
        self.closed: set[str] = set()
        self.offered: list[OutboxRow] = []
        self.next_offsets: dict[tuple[str, str, int], int] = {}
        self.commit_count = 0
        self.away = False
        self.locks: dict[asyncio.AbstractEventLoop, asyncio.Lock] = {}

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

    async def derive(self, acceptance: Acceptance) -> bool:
        return bool(await self.accept([acceptance]))

    async def known(self, key: NaturalKey) -> Stored | None:
        return (await self.stored([key])).get(key)

    async def stored(self, keys: Sequence[NaturalKey]) -> Mapping[NaturalKey, Stored]:
        concerns = {key: self.accepted[key].concern for key in keys if key in self.accepted}
        return {key: Stored(concern.id, concern.body_mac) for key, concern in concerns.items()}

    async def thread(self, concern_id: ConcernId, version: int) -> Thread | None:
        if self.away:
            raise StoreUnavailable("away")
        found = self._versions().get(concern_id)
        if found is None:
            return None
        first = found[0]
        macs = {concern.key.version: concern.body_mac for concern in found}
        return Thread(
            concern_id, first.key.originator, first.key.originator_ref, first.partition_key, found[-1].key.version,
            macs.get(version), self._recall_of(concern_id), frozenset(self._sources(concern_id)),
        )  # fmt: skip

    @asynccontextmanager
    async def begin_steps(self) -> AsyncIterator["InMemoryIntake"]:
        """One at a time, as ports.BeginSteps has it."""
        if self.away:
            raise StoreUnavailable("away")
        async with self._one_at_a_time():
            yield self

    def _one_at_a_time(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()  # a lock belongs to the loop that first waited for it
        self.locks = {loop: self.locks.get(loop) or asyncio.Lock()}
        return self.locks[loop]

    def _sources(self, concern_id: ConcernId) -> set[ConcernId]:
        return {source for concern in self._versions().get(concern_id, ()) for source, _ in concern.built_on}

    def _recall_of(self, concern_id: ConcernId) -> Recall | None:
        """Its own, or the first of those of what it came of."""
        found = closure(concern_id, self._sources) & self.recalls.keys()
        return min((self.recalls[name].recall for name in found), key=lambda recall: recall.at, default=None)

    async def descendants(self, concern_id: ConcernId) -> Sequence[ConcernId]:
        names = self._versions()
        return sorted(closure(concern_id, lambda name: {n for n in names if name in self._sources(n)}) - {concern_id})

    async def sources(self, concern_ids: Sequence[ConcernId]) -> Sources:
        versions = self._versions()
        return {
            record.id: Source(record, {c.key.version: c.routing.get("provenance", ()) for c in versions[record.id]})
            for record in self._visible(Reader(None))
            if record.id in concern_ids
        }

    async def follow(self, acceptance: Acceptance) -> bool:
        concern = acceptance.concern
        if not await self._is_next(concern.id, concern.key.version):
            return False
        self.accepted[concern.key] = acceptance
        self._announce(outbox_rows(acceptance), closing_name(concern.id, concern.key.version - 1))
        return True

    async def recall(self, recalling: Recalling) -> bool:
        concern_id, last = recalling.thread.concern_id, recalling.thread.last
        if not await self._is_next(concern_id, last + 1):
            return False
        self.recalls[concern_id] = recalling
        self._announce(recall_rows(recalling), closing_name(concern_id, last))
        return True

    async def _is_next(self, concern_id: ConcernId, number: int) -> bool:
        await asyncio.sleep(0)  # as in every store, others may come in between
        found = self._versions().get(concern_id, [])
        return concern_id not in self.recalls and bool(found) and found[-1].key.version == number - 1

    def _announce(self, rows: tuple[OutboxRow, OutboxRow], before: str) -> None:
        announcement, fact = rows
        if before in self.closed:
            self.offered.append(announcement)
        else:
            self.waiting[before] = announcement
        self.offered.append(fact)
        self.commit_count += 1

    def _versions(self) -> Mapping[ConcernId, Sequence[Concern]]:
        found: dict[ConcernId, list[Concern]] = defaultdict(list)
        for key in sorted(self.accepted, key=lambda key: key.version):
            found[self.accepted[key].concern.id].append(self.accepted[key].concern)
        return found

    async def concern(self, concern_id: ConcernId, reader: Reader) -> ConcernRecord | None:
        return next((record for record in self._visible(reader) if record.id == concern_id), None)

    async def concerns(self, page: Page, reader: Reader) -> Sequence[ConcernRecord]:
        def place(record: ConcernRecord) -> tuple[Any, str]:
            return record.versions[0].accepted_at, record.id

        records = sorted(self._visible(reader), key=place, reverse=True)
        after = page.after
        return [
            record
            for record in records
            if (after is None or place(record) < after)
            and (page.since is None or record.versions[0].accepted_at >= page.since)
        ][: page.limit]

    def _visible(self, reader: Reader) -> Sequence[ConcernRecord]:
        return [
            ConcernRecord(
                name,
                versions[0].key.originator,
                versions[0].key.originator_ref,
                tuple(VersionRecord(c.key.version, c.digest, c.accepted_at, c.received_at, c.flags) for c in versions),
                tuple(entry for entry in self.entries.values() if entry.concern_id == name),
                self._recall_of(name),
            )
            for name, versions in self._versions().items()
            if reader.org in (None, versions[0].key.originator)
        ]

    def clear(self) -> None:
        """Forget everything."""
        self.__dict__.update(vars(InMemoryIntake()))

    @property
    def bare(self) -> bool:
        """Whether nothing was ever stored."""
        return not (self.accepted or self.recalls or self.offered or self.entries or self.commit_count)


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

    async def close_recalls(self, concern_ids: Sequence[ConcernId]) -> None:
        recalls = [self._store.recalls[name] for name in concern_ids if name in self._store.recalls]
        self._closed.update(closing_name(row.thread.concern_id, row.thread.last + 1) for row in recalls)

    def commit(self) -> None:
        self._store.entries.update(self._entries)
        self._store.closed.update(self._closed)
        self._store.offered += [self._store.waiting.pop(n) for n in sorted(self._closed & self._store.waiting.keys())]
        self._store.next_offsets.update(self._offsets)
        self._store.commit_count += 1


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
    shortcut: bool = True


def front_of(store: InMemoryIntake, rules: Rules | None = None) -> Front:
    """The real app, use cases and batcher on this store."""
    rules = rules or Rules()
    telemetry = QuietTelemetry()
    batcher: Batcher[Acceptance, Answer] = Batcher(
        partial(accept_batch, accept=partial(accept_concerns, register=store), telemetry=telemetry, ended=lambda: None),
        batch_size_max=256,
        waiting_max=rules.waiting_max,
    )
    following = FollowUpDesk(store.begin_steps, rules.clock)
    desk = Desk(
        submit=partial(
            submit_concern, keys=KEYS, desk=following, allow_historic=rules.allow_historic, accept=batcher.submit
        ),
        amend=partial(amend_concern, desk=following, keys=KEYS, allow_historic=rules.allow_historic),
        recall=partial(recall_concern, desk=following),
        archive=store,
    )
    limits = BatchLimits(lines_max=LINES_MAX, at_once_max=64)
    edge = Edge(Health(30), telemetry, verifier_of(rules.clock), FAULTS, BODY_BYTES_MAX)
    past_the_framework = shortcuts(desk) if rules.shortcut else {}
    app = make_app("intake", routes(desk, limits, telemetry), edge, past_the_framework)
    return Front(app, batcher, telemetry, rules.clock)


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
