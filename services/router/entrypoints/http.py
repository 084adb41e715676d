"""The router over HTTP: all its routes on one desk."""

from __future__ import annotations

from fastapi import APIRouter

from services.router.entrypoints.choices import ChoiceRoutes
from services.router.entrypoints.decisions import DecisionRoutes
from services.router.entrypoints.queues import QueueRoutes
from services.router.entrypoints.routings import RoutingRoutes
from services.router.ports import DecisionStore
from services.router.usecases import Desk


def routes(store: DecisionStore, desk: Desk) -> APIRouter:
    """What can be asked of the router, and what people can do."""
    whole = APIRouter()
    parts = (
        DecisionRoutes(store, desk.current, desk.clock).router(),
        RoutingRoutes(store).router(),
        QueueRoutes(store, desk).router(),
        ChoiceRoutes(desk).router(),
    )
    whole.routes.extend(route for part in parts for route in part.routes)
    return whole
