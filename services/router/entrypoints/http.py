"""The router over HTTP: all its routes on one desk."""

from __future__ import annotations

from fastapi import APIRouter

from services.router.entrypoints.choices import ChoiceRoutes
from services.router.entrypoints.convening import PanelRoutes
from services.router.entrypoints.correlation import CorrelationRoutes
from services.router.entrypoints.decisions import DecisionRoutes
from services.router.entrypoints.duties import DutyRoutes
from services.router.entrypoints.emergency import EmergencyRoutes
from services.router.entrypoints.human import HumanDecisionRoutes
from services.router.entrypoints.queues import QueueRoutes
from services.router.entrypoints.routings import RoutingRoutes
from services.router.entrypoints.terms import TermsRoutes
from services.router.ports import DecisionStore, History
from services.router.usecases import Desk


def routes(store: DecisionStore, desk: Desk, history: History) -> APIRouter:
    """What can be asked of the router, and what people can do."""
    whole = APIRouter()
    parts = (
        DecisionRoutes(store, desk, history).router(),
        DutyRoutes(desk, history).router(),
        RoutingRoutes(store).router(),
        TermsRoutes(store, desk).router(),
        QueueRoutes(store, desk).router(),
        CorrelationRoutes(store, desk).router(),
        PanelRoutes(desk).router(),
        ChoiceRoutes(desk).router(),
        HumanDecisionRoutes(desk).router(),
        EmergencyRoutes(desk).router(),
    )
    whole.routes.extend(route for part in parts for route in part.routes)
    return whole
