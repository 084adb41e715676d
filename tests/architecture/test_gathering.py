"""Which subscriptions may wait for more, and which never do (ADR 10)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from shared.contracts import topics

ROOT = Path(__file__).resolve().parents[2]
ON_THE_WAY = {"CONCERNS", "NOTICES", "GRAPH"}
OFF_THE_WAY = {"DECISIONS", "OUTCOMES", "AUDIT"}


def subscriptions() -> Iterator[tuple[str, str, bool]]:
    """Service, topic and whether it gathers, for each subscription that a bootstrap makes."""
    for file in sorted(ROOT.glob("services/*/bootstrap.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Subscription":
                named = {keyword.arg: keyword.value for keyword in node.keywords}
                topic = named.get("topic") or node.args[1]
                yield file.parent.name, ast.unparse(topic).removesuffix(".name"), "gather_milliseconds" in named


def test_what_is_on_the_way_to_a_recipient_never_waits_for_more() -> None:
    found = {(service, topic) for service, topic, gathers in subscriptions() if topic in ON_THE_WAY and not gathers}
    assert found == {("router", "CONCERNS"), ("router", "GRAPH"), ("notifier", "NOTICES")}


def test_what_nobody_waits_for_is_gathered() -> None:
    found = {(service, topic) for service, topic, gathers in subscriptions() if topic in OFF_THE_WAY and gathers}
    assert found == {("intake", "DECISIONS"), ("intake", "OUTCOMES"), ("router", "OUTCOMES"), ("notifier", "AUDIT")}


def test_no_subscription_is_of_a_topic_that_this_test_does_not_know() -> None:
    assert {topic for _, topic, _ in subscriptions()} == ON_THE_WAY | OFF_THE_WAY


def test_the_relay_gathers_what_the_subscriptions_gather() -> None:
    gathered = {topic.name for topic in topics.ALL if topic.gathered}
    assert gathered == {getattr(topics, name).name for name in OFF_THE_WAY}
