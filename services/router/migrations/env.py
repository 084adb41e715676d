"""Migrates the schema `router`."""

from services.router.adapters.tables import metadata
from shared.db.migrate import run

run(metadata, schema="router")
