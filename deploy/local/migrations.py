"""Brings the schemas to their newest version, each as its owner."""

import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local import environment
from deploy.local.faults import EngineFailed, ServiceFailed
from deploy.local.process import Command, run

MIGRATE_SECONDS = 120


async def migrate(owner_urls: Mapping[str, str], log: Path) -> None:
    """Migrate the schema of each service named. Raises ServiceFailed with what the migration said."""
    urls = {f"{service.upper()}_OWNER_DATABASE_URL": url for service, url in owner_urls.items()}
    command = Command(
        name="migrations",
        argv=(sys.executable, "-m", "shared.db.migrate", *owner_urls),
        log=log,
        env={**environment.python_environment(), **urls},
    )
    try:
        await run(command, seconds=MIGRATE_SECONDS)
    except EngineFailed as failed:
        raise ServiceFailed(str(failed), failed.remedy) from failed
