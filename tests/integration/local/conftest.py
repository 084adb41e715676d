"""The embedded engines."""

from tests.support.stack import data_dir, engines, kafka_engine, postgres_engine, stack_layout

__all__ = ["data_dir", "engines", "kafka_engine", "postgres_engine", "stack_layout"]
