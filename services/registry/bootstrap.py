"""Puts the registry together: the only file that names its concrete adapters."""

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from fastapi import APIRouter, FastAPI

from services.registry.adapters.change_router import HttpPastConcerns, NoPastConcerns
from services.registry.adapters.change_store import PostgresChangeStore
from services.registry.adapters.clients_file import ClientsFile, ClientsUnreadable
from services.registry.adapters.documents import PostgresDocumentStore
from services.registry.adapters.graph_files import read_folder
from services.registry.adapters.postgres import PostgresHistory
from services.registry.adapters.seed_files import SeedUnreadable, read_objects
from services.registry.adapters.signing import Ed25519Signer, SigningKeyUnusable
from services.registry.config import RegistrySettings
from services.registry.domain.analyses import findings, listable
from services.registry.entrypoints.analyses import AnalysisRoutes
from services.registry.entrypoints.answers import FAULTS
from services.registry.entrypoints.changes import ChangeRoutes
from services.registry.entrypoints.documents import DocumentRoutes
from services.registry.entrypoints.http import GraphRoutes
from services.registry.entrypoints.lifecycle import LifecycleRoutes
from services.registry.entrypoints.tokens import TokenRoutes
from services.registry.ports import PastConcerns
from services.registry.usecases import Issuer, import_seed, own_token
from services.registry.usecases.analyses import Analyst
from services.registry.usecases.change import Desk
from services.registry.usecases.documents import keep_seed_files
from shared.agreements.load import GraphInvalid
from shared.faults import Transient
from shared.http.app import make_app
from shared.service import Foundation, lay_foundation
from shared.supervision import Pause


async def run(settings: RegistrySettings) -> None:
    """Import the seed where the graph is empty, then serve until a signal. Exits with words where it cannot start."""
    foundation = lay_foundation("registry", settings, accepts=True)
    history = PostgresHistory(foundation.engine, foundation.outbox, foundation.relay, foundation.fail_points)
    try:
        app = make_registry_app(settings, foundation, history)
        await _import_seed(settings, foundation, history)
    except (ClientsUnreadable, SigningKeyUnusable, SeedUnreadable, GraphInvalid) as fault:
        sys.exit(f"The registry cannot start:\n{fault}")
    await foundation.run(app, {})


def make_registry_app(settings: RegistrySettings, foundation: Foundation, history: PostgresHistory) -> FastAPI:
    """The HTTP app. Raises ClientsUnreadable, SigningKeyUnusable."""
    signer = Ed25519Signer.from_file(settings.signing_key_file)
    telemetry, clock = foundation.telemetry, foundation.clock
    clients = ClientsFile(
        settings.clients_file, alarm=lambda words: telemetry.alarm("clients-unreadable", detail=words)
    )
    issuer = Issuer(settings.issuer, settings.token_audience, signer)
    tokens = TokenRoutes(clients=clients, issuer=issuer, jwk=signer.jwk, clock=clock, telemetry=telemetry)
    routes = APIRouter()
    routes.include_router(GraphRoutes(begin=history.begin, clock=clock, telemetry=telemetry).router())
    routes.include_router(tokens.router())
    routes.include_router(AnalysisRoutes(Analyst(begin=history.begin), clock).router())
    desk = Desk(
        begin=PostgresChangeStore(history).begin,
        clock=clock,
        past=_past_concerns(settings, partial(own_token, issuer=issuer, clock=clock)),
        analyse=lambda graph, day: findings(graph, day) if listable(graph) else None,
        window=timedelta(days=settings.what_if_days),
    )
    routes.include_router(ChangeRoutes(desk, telemetry).router())
    routes.include_router(LifecycleRoutes(desk, telemetry).router())
    documents = PostgresDocumentStore(history).begin
    routes.include_router(DocumentRoutes(history.begin, documents, clock, telemetry).router())
    return make_app("Concordat registry", routes, foundation.edge(FAULTS))


def _past_concerns(settings: RegistrySettings, token: Callable[[], str]) -> PastConcerns:
    if not settings.router_url:
        return NoPastConcerns()
    return HttpPastConcerns(
        settings.router_url, token, settings.what_if_concerns_max, settings.what_if_deadline_seconds
    )


async def _import_seed(settings: RegistrySettings, foundation: Foundation, history: PostgresHistory) -> None:
    """Until it is done: Postgres may come up after the registry does."""
    pause = Pause("seed import", foundation.telemetry)
    read_seed = partial(read_objects, settings.seed_folder)
    documents = PostgresDocumentStore(history).begin
    while True:
        try:
            with foundation.telemetry.unit("graph.imported") as line:
                head = await import_seed(read_seed, begin=history.begin, clock=foundation.clock)
                await keep_seed_files(lambda: read_folder(settings.seed_folder).files, begin=documents)
                line.update(version=head.version, root=head.root)
        except Transient as fault:
            await pause.after(fault)
            continue
        pause.over()
        return
