"""`python -m tests.architecture.settings_examples`: write deploy/env/*.example anew from the settings classes."""

import json
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from shared.settings import BaseServiceSettings
from tests.architecture.sources import ROOT, SERVICES

FOLDER = ROOT / "deploy" / "env"


def settings_class(service: str) -> type[BaseServiceSettings]:
    """The settings of a service."""
    found: type[BaseServiceSettings] = getattr(
        import_module(f"services.{service}.config"), f"{service.title()}Settings"
    )
    return found


def example(service: str) -> str:
    """The example file: what must be given first, then what may be, each with its default."""
    kind = settings_class(service)
    prefix = str(kind.model_config["env_prefix"])
    fields = [(f"{prefix}{name}".upper(), field) for name, field in kind.model_fields.items()]
    needed = [f"# {f.description}\n{name}=\n" for name, f in fields if f.is_required()]
    optional = [f"# {f.description}\n#{name}={_shown(f)}\n" for name, f in fields if not f.is_required()]
    head = f"# Settings of {service}, made from services/{service}/config.py: `make check` compares the two.\n"
    return "\n".join([head, "# These must be given.\n", *needed, "# These have a default, shown here.\n", *optional])


def _shown(field: FieldInfo) -> str:
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    if default is None:
        return ""
    if isinstance(default, Path):
        return str(default.relative_to(ROOT)) if default.is_relative_to(ROOT) else str(default)
    if isinstance(default, Enum):
        return str(default.value)
    return default if isinstance(default, str) else json.dumps(default, default=str)


def file_of(service: str) -> Path:
    """Where the example of a service is."""
    return FOLDER / f"{service}.example"


if __name__ == "__main__":
    for each in SERVICES:
        file_of(each).write_text(example(each), encoding="utf-8")
