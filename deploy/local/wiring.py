"""What each service is told: the settings named in the plan, with the values of one local system."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local import environment
from deploy.local.keys import Keyring
from deploy.local.layout import Layout
from deploy.local.plan import ServicePlan
from deploy.local.postgres import Database

JWKS_PATH = "/.well-known/jwks.json"
LOOPBACK = ("127.0.0.0/8",)


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that the settings of the services are made of."""

    layout: Layout
    database: Database
    keyring: Keyring
    bootstrap: str

    def settings(self, plan: ServicePlan, instance: int = 1) -> dict[str, str]:
        """The settings of one instance of a service, by their full names."""
        values = {**self._common(plan, instance), **self._files(), **self._local_only()}
        prefix = f"{plan.name.upper()}_"
        return {name: values[name.removeprefix(prefix)] for name in plan.settings}

    def environment(self, plan: ServicePlan, instance: int, extra: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of one instance of a service."""
        return {**environment.python_environment(), **self.settings(plan, instance), **extra}

    def _common(self, plan: ServicePlan, instance: int) -> dict[str, str]:
        issuer = self.layout.url("registry")
        return {
            "DATABASE_URL": self.database.service_url(plan.name),
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "HTTP_HOST": self.layout.host,
            "HTTP_PORT": str(self.layout.port(plan.name, instance)),
            "TOKEN_ISSUERS": json.dumps([{"issuer": issuer, "jwks_url": issuer + JWKS_PATH}]),
            "ISSUER": issuer,
            "REGISTRY_URL": issuer,
            "ROUTER_URL": self.layout.url("router"),
        }

    def _files(self) -> dict[str, str]:
        return {
            "SEALING_KEY_FILE": str(self.keyring.symmetric("sealing")),
            "SUBJECT_KEY_FILE": str(self.keyring.symmetric("subject")),
            "SECRETS_KEY_FILE": str(self.keyring.symmetric("secrets")),
            "SIGNING_KEY_FILE": str(self.keyring.signing()),
            "CLIENTS_FILE": str(self.keyring.clients_file),
        }

    @staticmethod
    def _local_only() -> dict[str, str]:
        """A system on one machine may replay the past and deliver to itself, over plain HTTP."""
        return {"ALLOW_HISTORIC": "true", "ALLOW_HTTP": "true", "ALLOWED_NETWORKS": json.dumps(LOOPBACK)}
