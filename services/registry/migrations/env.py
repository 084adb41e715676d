from services.registry.adapters.tables import METADATA
from shared.db.migrate import run

run(METADATA, schema="registry")
