from services.notifier.adapters.tables import metadata
from shared.db.migrate import run

run(metadata, schema="notifier")
