"""Migrations of schema `intake`; the plumbing is shared."""

from services.intake.adapters.tables import metadata
from shared.db.migrate import run

run(metadata, schema="intake")
