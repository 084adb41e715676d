"""All the Alembic plumbing: one history and one version table per schema, run by the schema's owner.

`python -m shared.db.migrate all|SERVICE` reads `X_OWNER_DATABASE_URL` for each service X and upgrades to the head.
"""

import asyncio
import sys
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Connection, MetaData, pool
from sqlalchemy.ext.asyncio import create_async_engine

SERVICES = ("registry", "intake", "router", "notifier")
_ROOT = Path(__file__).resolve().parents[2]


class OwnerSettings(BaseSettings):
    """Where one service's owner role reaches Postgres; used for migrations alone."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    owner_database_url: SecretStr


def config_of(service: str) -> Config:
    """The Alembic configuration of a service; its URL comes from the environment."""
    settings = OwnerSettings(_env_prefix=f"{service.upper()}_")
    config = Config()
    config.set_main_option("script_location", str(_ROOT / "services" / service / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = settings.owner_database_url.get_secret_value()
    return config


def upgrade(service: str) -> None:
    """Bring the schema of a service to its newest version; running it again changes nothing."""
    command.upgrade(config_of(service), "head")


def run(metadata: MetaData, *, schema: str) -> None:
    """What each service's `env.py` calls: migrate its schema over an asynchronous engine."""
    asyncio.run(_run(metadata, schema))


async def _run(metadata: MetaData, schema: str) -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate, metadata, schema)
        await connection.commit()
    await engine.dispose()


def _migrate(connection: Connection, metadata: MetaData, schema: str) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table="alembic_version",
        version_table_schema=schema,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name in _schemas(metadata, schema),
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def _schemas(metadata: MetaData, schema: str) -> set[str | None]:
    return {schema, *(table.schema for table in metadata.tables.values())}


def main() -> None:
    """Migrate one service or all of them."""
    wanted = sys.argv[1:] or ["all"]
    for service in SERVICES if wanted == ["all"] else wanted:
        try:
            upgrade(service)
        except CommandError as fault:
            if not isinstance(fault.__cause__, ResolutionError):
                raise
            sys.exit(of_another_version(service, fault))


def of_another_version(service: str, fault: CommandError) -> str:
    """What to do about a schema whose revision this version does not have."""
    remedy = "Run the version that wrote it, or begin with a new data folder (--data-dir) or database."
    return f"The schema of {service} was written by another version of Concordat: {fault}. {remedy}"


if __name__ == "__main__":
    main()
