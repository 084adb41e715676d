"""Keys, passwords and clients of a local system: made at the first start, kept with mode 0600, never made anew."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.local.files import write_private
from deploy.local.plan import SERVICES

KEY_BYTES = 32
SUPERUSER = "postgres"
ORG_SCOPES = (
    "concerns:write",
    "concerns:read",
    "concerns:historic",
    "decisions:read",
    "decisions:write",
    "endpoints:write",
    "notices:read",
    "notices:write",
    "changes:read",
    "changes:write",
)
OPERATOR_SCOPES = (*ORG_SCOPES, "endpoints:approve", "decisions:preview", "decisions:read-all", "audit:read")
ORG_ROLES = ("signatory", "convenor")
REGISTRY_SCOPES = ("changes:read", "changes:write")
DESK_SCOPES = ("decisions:read", "decisions:write")
STAFF = {
    "registry-editor": ("registry-editor", REGISTRY_SCOPES),
    "registry-reviewer": ("registry-reviewer", REGISTRY_SCOPES),
    "registry-approver-1": ("registry-approver", REGISTRY_SCOPES),
    "registry-approver-2": ("registry-approver", REGISTRY_SCOPES),
    "duty-router-1": ("duty-router", DESK_SCOPES),
    "duty-router-2": ("duty-router", DESK_SCOPES),
    "emergency-approver": ("emergency-approver", DESK_SCOPES),
}
"""The clients of those who work here, with the role and the scopes of each: a change takes four people, an emergency
three, and a pointer past a ceiling two."""
NO_BODIES = frozenset({"operator", *STAFF})
"""What stands for an organisation in clients that act for none of the graph."""


class Keyring:
    """The secret files of one system, in one folder that only the owner may enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def clients_file(self) -> Path:
        """The registry's clients, with hashes in place of secrets."""
        return self.folder / "clients.json"

    def symmetric(self, name: str) -> Path:
        """A key file of 32 random bytes in base64."""
        return self._once(f"{name}.key", base64.b64encode(secrets.token_bytes(KEY_BYTES)))

    def signing(self) -> Path:
        """The registry's Ed25519 key for tokens, as PEM."""
        key = Ed25519PrivateKey.generate()
        return self._once("signing.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def passwords(self) -> dict[str, str]:
        """The password of each Postgres role, the superuser's among them."""
        roles = [SUPERUSER, *(f"{plan.name}_{part}" for plan in SERVICES for part in ("owner", "service"))]
        made = {role: secrets.token_urlsafe(KEY_BYTES) for role in roles}
        kept: dict[str, str] = json.loads(self._once("passwords.json", _json(made)).read_bytes())
        return kept

    def clients(self, orgs: Iterable[str], shown_file: Path) -> dict[str, dict[str, object]]:
        """The clients of the system by id; one that is new gets its secret now, a known one keeps it."""
        known: dict[str, dict[str, object]] = json.loads(shown_file.read_bytes()) if shown_file.exists() else {}
        for client in (_operator(), *map(_staff, STAFF), *map(_case_system, orgs)):
            kept = known.get(str(client["client_id"]), {"secret": secrets.token_urlsafe(KEY_BYTES)})
            known[str(client["client_id"])] = {**client, "secret": kept["secret"]}
        write_private(shown_file, _json(known))
        write_private(self.clients_file, _json([_as_stored(client) for client in known.values()]))
        return known

    def _once(self, name: str, content: bytes) -> Path:
        file = self.folder / name
        if not file.exists():
            write_private(file, content)
        return file


def _case_system(org: str) -> dict[str, object]:
    return {"client_id": f"{org}-case-system", "org": org, "scopes": list(ORG_SCOPES), "roles": list(ORG_ROLES)}


def _staff(name: str) -> dict[str, object]:
    role, scopes = STAFF[name]
    return {"client_id": name, "org": name, "scopes": list(scopes), "roles": [role]}


def _operator() -> dict[str, object]:
    return {
        "client_id": "operator",
        "org": "operator",
        "scopes": list(OPERATOR_SCOPES),
        "roles": ["operator", "duty-router"],
    }


def _as_stored(client: dict[str, object]) -> dict[str, object]:
    """A plain SHA-256 is enough: the secret is 32 random bytes, so there is nothing to guess."""
    digest = hashlib.sha256(str(client["secret"]).encode()).hexdigest()
    return {**{name: value for name, value in client.items() if name != "secret"}, "secret_sha256": digest}


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1).encode()
