"""The flows of the router: route concerns, follow the graph, close what the notifier has."""

from services.router.usecases.convening import (
    CannotBe,
    Convened,
    PanelResult,
    Proposal,
    Step,
    look_at_panel,
    propose_panel,
    take_step,
)
from services.router.usecases.correlation import PAGE, Correlation, Followed, correlations_of, follow_concerns
from services.router.usecases.desk import Desk
from services.router.usecases.duties import duties_of
from services.router.usecases.emergency import Emergency, NotApproved, find_overdue, tell_in_emergency
from services.router.usecases.graph import (
    Adopted,
    Applied,
    GraphNews,
    GraphPorts,
    catch_up,
    follow_graph,
    newer_at_registry,
    refresh_graph,
)
from services.router.usecases.human import HumanDecision, NotOpen, UnknownGateways, record_decision
from services.router.usecases.judging import chosen, judged, read_ahead
from services.router.usecases.panels import find_overdue_panels, look_at_panels
from services.router.usecases.patience import Patience
from services.router.usecases.queues import (
    Ask,
    AwaitsSecond,
    Done,
    Ended,
    ItemLook,
    ItemResult,
    NeedsThird,
    NotRouted,
    assign_item,
    close_item,
    let_item_wait,
    look_at_item,
    route_item,
)
from services.router.usecases.replay import Difference, Ground, Replayed, judge_on, on_day, replay
from services.router.usecases.rounds import Absent, Refused, Stands, choose_bodies, end_stale_holds
from services.router.usecases.routing import Routed, route_concerns
from services.router.usecases.undoing import hear_of_notices, withdraw_ended

__all__ = [
    "PAGE",
    "Absent",
    "Adopted",
    "Applied",
    "Ask",
    "AwaitsSecond",
    "CannotBe",
    "Convened",
    "Correlation",
    "Desk",
    "Difference",
    "Done",
    "Emergency",
    "Ended",
    "Followed",
    "GraphNews",
    "GraphPorts",
    "Ground",
    "HumanDecision",
    "ItemLook",
    "ItemResult",
    "NeedsThird",
    "NotApproved",
    "NotOpen",
    "NotRouted",
    "PanelResult",
    "Patience",
    "Proposal",
    "Refused",
    "Replayed",
    "Routed",
    "Stands",
    "Step",
    "UnknownGateways",
    "assign_item",
    "catch_up",
    "choose_bodies",
    "chosen",
    "close_item",
    "correlations_of",
    "duties_of",
    "end_stale_holds",
    "find_overdue",
    "find_overdue_panels",
    "follow_concerns",
    "follow_graph",
    "hear_of_notices",
    "judge_on",
    "judged",
    "let_item_wait",
    "look_at_item",
    "look_at_panel",
    "look_at_panels",
    "newer_at_registry",
    "on_day",
    "propose_panel",
    "read_ahead",
    "record_decision",
    "refresh_graph",
    "replay",
    "route_concerns",
    "route_item",
    "take_step",
    "tell_in_emergency",
    "withdraw_ended",
]
