"""What the runner needs to know of the seed graph: for whom to make clients."""

from functools import cache
from pathlib import Path

import yaml

from deploy.local.environment import ROOT

SEED = ROOT / "services" / "registry" / "seed"


@cache
def seed_organisations(seed: Path = SEED) -> tuple[str, ...]:
    """The ids of the organisations in the seed graph."""
    files = sorted(seed.rglob("organisations.yaml"))
    return tuple(org["id"] for file in files for org in yaml.safe_load(file.read_text())["organisations"])
