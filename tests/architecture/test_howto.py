"""What the how-tos tell people to type does what they say."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from cryptography.exceptions import InvalidSignature
from joserfc.jwk import OKPKey

from deploy.cli.graph import graph
from deploy.local import plan
from deploy.local.make_keys import SYMMETRIC
from services.intake.domain.model import RecallReason
from services.intake.entrypoints.desk import read_form
from services.notifier.domain.encryption import encrypted, key_text
from services.notifier.domain.model import Keys
from services.notifier.domain.signature import public_text, secret_text, signed_headers
from services.registry.adapters.seed_files import read_objects
from services.router.domain.convening import STEP_NAMES
from services.router.domain.model import ITEM_KINDS
from services.router.entrypoints.choices import ChoiceForm
from services.router.entrypoints.emergency import EmergencyForm
from services.router.entrypoints.human import HumanDecisionForm
from services.router.entrypoints.panel_forms import STEP_FORMS, PanelForm, StepForm, step_form
from services.router.entrypoints.queues import ResolutionForm
from tests.architecture.sources import ROOT

HOWTO = ROOT / "docs" / "howto"
SECRET = bytes(range(32))
KEYS = [Keys(SECRET, bytes(range(32, 64)))]


def block(name: str, pattern: str) -> str:
    """The first piece of a how-to between two lines of a fence or of a here-document."""
    found = re.search(pattern, (HOWTO / name).read_text(), flags=re.DOTALL)
    assert found, f"{name} holds no such block"
    return found.group(1)


@pytest.fixture
def is_genuine() -> Callable[[str, dict[str, str], bytes], bool]:
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(block("receive-notices.md", "```python\n(.*?)```"), names)  # noqa: S102 - our own text
    return names["is_genuine"]


def test_the_verifier_of_the_how_to_takes_what_we_send(is_genuine: Callable[..., bool]) -> None:
    headers = signed_headers(KEYS, webhook_id="ntc_1", timestamp=_now(), body=b"{}")
    assert is_genuine(secret_text(SECRET), headers, b"{}")
    two = {**headers, "webhook-signature": "v1,AAAA v1a,BBBB " + headers["webhook-signature"]}
    assert is_genuine(secret_text(SECRET), two, b"{}")


def test_the_verifier_of_the_how_to_takes_nothing_else(is_genuine: Callable[..., bool]) -> None:
    good = signed_headers(KEYS, webhook_id="ntc_1", timestamp=_now(), body=b"{}")
    old = signed_headers(KEYS, webhook_id="ntc_1", timestamp=_now() - 400, body=b"{}")
    assert not is_genuine(secret_text(SECRET), good, b"{ }")
    assert not is_genuine(secret_text(SECRET), {**good, "webhook-id": "ntc_2"}, b"{}")
    assert not is_genuine(secret_text(SECRET), old, b"{}")
    assert not is_genuine(secret_text(bytes(32)), good, b"{}")


def test_what_is_encrypted_is_read_as_the_how_to_says() -> None:
    names: dict[str, Callable[[dict[str, str], dict[str, Any]], bytes]] = {}
    exec(block("receive-notices.md", "## Have it encrypted.*?```python\n(.*?)```"), names)  # noqa: S102
    pair = OKPKey.generate_key("X25519", private=True)
    sent = encrypted(b'{"datacontenttype":"application/json","data":{"a":1}}', key_text(pair.as_dict(private=False)))
    assert names["read"](json.loads(sent), pair.as_dict(private=True)) == b'{"a":1}'


def test_the_verifier_by_public_key_takes_what_we_send_and_nothing_else() -> None:
    names: dict[str, Callable[[str, dict[str, str], bytes], None]] = {}
    exec(block("receive-notices.md", "public key alone.*?```python\n(.*?)```"), names)  # noqa: S102
    headers = signed_headers(KEYS, webhook_id="ntc_1", timestamp=_now(), body=b"{}")
    names["check"](public_text(KEYS[0].seed), headers, b"{}")
    with pytest.raises(InvalidSignature):
        names["check"](public_text(KEYS[0].seed), headers, b"{ }")


def test_the_concern_of_the_how_to_has_the_form_that_intake_takes() -> None:
    concern = block("publish-a-concern.md", "<<'JSON'\n(.*?)\nJSON\n")
    assert read_form("application/json", concern.encode())
    assert json.loads(concern)["originator"] == "cqc"


def test_the_reasons_of_a_recall_are_those_that_intake_takes() -> None:
    text = (HOWTO / "amend-and-recall.md").read_text()
    table = text.partition("| reason | when |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", table, flags=re.MULTILINE)) == get_args(RecallReason)


def test_the_case_of_the_how_to_is_decided_as_it_expects(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(block("test-a-graph.md", "```yaml\n(.*?)```"))
    answer = CliRunner().invoke(graph, ["test", str(tmp_path / "mine.yaml")])
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("service", plan.SERVICES, ids=lambda s: s.name)
def test_the_ports_of_the_how_to_are_those_of_the_plan(service: plan.ServicePlan) -> None:
    text = (HOWTO / "publish-a-concern.md").read_text()
    assert f"{service.name} {plan.port_of(service.name, plan.PORT_BASE)}" in text


def test_the_keys_of_the_how_to_can_be_made() -> None:
    assert "deploy.local.make_keys" in (HOWTO / "run-with-your-own-kafka-and-postgres.md").read_text()
    assert len(SYMMETRIC) == 3


def _now() -> int:
    return int(time.time())  # noqa: TID251 - the how-to reads the machine's clock, so this must too


def test_the_emergency_of_the_how_to_has_the_form_that_the_router_takes() -> None:
    said = block("tell-in-an-emergency.md", r"--data '(\{.*?\})'")
    assert EmergencyForm.model_validate(json.loads(said)).organisations == ["psni"]


def test_the_panel_of_the_how_to_has_the_forms_that_the_router_takes() -> None:
    text = (HOWTO / "convene-a-panel.md").read_text().replace("'$ID'", "con_1")
    proposed, step = re.findall(r"--data '(\{.*?\})'", text, flags=re.DOTALL)
    assert PanelForm.model_validate(json.loads(proposed)).kind == "rrp"
    assert step_form(json.loads(step)).stated["organisations"] == ["gmc", "nmc"]


def test_the_acts_of_the_how_to_have_the_forms_that_the_router_takes() -> None:
    said = re.findall(r"--data '(\{.*?\})'", (HOWTO / "decide-by-hand.md").read_text(), flags=re.DOTALL)
    choice, decision, resolution = map(json.loads, said)
    assert ChoiceForm.model_validate(choice).organisations == ["gmc", "nmc"]
    opened = HumanDecisionForm.model_validate(decision).gateways
    bars = {row["id"]: row for row in read_objects() if row["kind"] == "bar"}
    assert [name for name in opened if _gateway(bars, name)["decided_by"] == "person"] == list(opened) != []
    assert ResolutionForm.model_validate(resolution).pointer_only


def _gateway(bars: dict[str, Any], name: str) -> Any:
    bar, _, gateway = name.partition("/")
    return next(row for row in bars[bar]["gateways"] if row["id"] == gateway)


def test_the_how_to_names_every_kind_of_work_item() -> None:
    text = (HOWTO / "decide-by-hand.md").read_text().partition("| kind |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", text, flags=re.MULTILINE)) == set(ITEM_KINDS)


def test_the_how_to_names_every_event_of_a_panel_with_its_fields() -> None:
    text = (HOWTO / "convene-a-panel.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|[^|]*\|[^|]*\|(.*)\|$", text, re.MULTILINE))
    assert rows.keys() == set(STEP_NAMES)
    for form in STEP_FORMS:
        for name in get_args(form.model_fields["event"].annotation):
            named = set(re.findall(r"`([a-z_]+)`", rows[name]))
            assert form.model_fields.keys() - StepForm.model_fields.keys() <= named, name
