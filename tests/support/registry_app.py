"""The registry's HTTP app on any history, with clients and a key of its own, called without a socket."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter

from services.registry.adapters.clients_file import ClientsFile
from services.registry.adapters.signing import Ed25519Signer
from services.registry.entrypoints.analyses import AnalysisRoutes
from services.registry.entrypoints.answers import FAULTS
from services.registry.entrypoints.changes import ChangeRoutes
from services.registry.entrypoints.http import GraphRoutes
from services.registry.entrypoints.lifecycle import LifecycleRoutes
from services.registry.entrypoints.tokens import TokenRoutes
from services.registry.ports import Begin
from services.registry.usecases import Issuer
from services.registry.usecases.analyses import Analyst
from services.registry.usecases.change import Desk
from shared.clock import Clock
from shared.http.app import Edge, make_app
from shared.http.auth import Verifier
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.support.issuers import keys_at_hand

BODY_BYTES_MAX = 262_144
ISSUER = "https://registry.test"
SECRET = "a long secret: with + and %"
CLIENTS: list[dict[str, Any]] = [
    {"client_id": "operator", "org": "cqc", "scopes": ["changes:read", "decisions:read"], "roles": ["operator"]},
    {"client_id": "clerk", "org": "cqc", "scopes": ["changes:read", "changes:write"], "roles": []},
    {"client_id": "case", "org": "gmc", "scopes": ["concerns:write", "concerns:read"], "roles": []},
    *(
        {"client_id": name, "org": "registry", "scopes": ["changes:read", "changes:write"], "roles": roles}
        for name, roles in {
            "editor": ["registry-editor"],
            "other-editor": ["registry-editor"],
            "reviewer": ["registry-reviewer"],
            "approver-1": ["registry-approver"],
            "approver-2": ["registry-approver"],
            "all-roles": ["registry-editor", "registry-reviewer", "registry-approver"],
        }.items()
    ),
    {
        "client_id": "editor-at-home",
        "org": "registry",
        "scopes": ["changes:read", "changes:write"],
        "roles": ["registry-reviewer", "registry-approver"],
        "person": "editor",
    },
    *(
        {"client_id": f"{org}-signs", "org": org, "scopes": ["changes:read", "changes:write"], "roles": ["signatory"]}
        for org in ("cqc", "gmc", "nmc")
    ),
]


def write_clients(folder: Path) -> Path:
    """The clients file; all clients have the same secret."""
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    file = folder / "clients.json"
    file.write_text(json.dumps([{**client, "secret_sha256": digest} for client in CLIENTS]))
    return file


class RegistryUnderTest:
    """The app, and a client that calls it."""

    def __init__(self, begin: Begin, *, clock: Clock, folder: Path, desk: Desk | None = None) -> None:
        signer = Ed25519Signer(Ed25519PrivateKey.generate())
        telemetry = Telemetry("registry", clock=clock)
        self.alarms: list[str] = []
        self.verifier = Verifier(keys_at_hand({ISSUER: signer.jwk}), audience="concordat", clock=clock)
        routes = APIRouter()
        routes.include_router(GraphRoutes(begin=begin, clock=clock, telemetry=telemetry).router())
        tokens = TokenRoutes(
            clients=ClientsFile(write_clients(folder), alarm=self.alarms.append),
            issuer=Issuer(ISSUER, "concordat", signer),
            jwk=signer.jwk,
            clock=clock,
            telemetry=telemetry,
        )
        routes.include_router(tokens.router())
        routes.include_router(AnalysisRoutes(Analyst(begin=begin), clock).router())
        if desk is not None:
            routes.include_router(ChangeRoutes(desk, telemetry).router())
            routes.include_router(LifecycleRoutes(desk, telemetry).router())
        edge = Edge(Health(30), telemetry, self.verifier, FAULTS, BODY_BYTES_MAX)
        transport = httpx.ASGITransport(make_app("registry", routes, edge), raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=ISSUER)

    async def token(self, client_id: str) -> str:
        """A token of that client, with all its scopes."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": SECRET}
        answer = await self.http.post("/oauth2/token", data=form)
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    async def headers(self, client_id: str, **more: str) -> dict[str, str]:
        """What a request of that client carries."""
        return {"Authorization": f"Bearer {await self.token(client_id)}", "Content-Type": "application/json", **more}


def change(parent_version: int, *objects: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a change."""
    head = {"title": "A change", "parent_version": parent_version, "reason": "to try it"}
    return {**head, "objects": list(objects)}
