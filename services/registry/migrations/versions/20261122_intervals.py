"""The valid and recorded time of each object as intervals, which the database lets overlap in nothing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DATERANGE, TSTZRANGE

revision = "20261122_intervals"
down_revision = "20261122_changes"
branch_labels = None
depends_on = None

SCHEMA = "registry"
# What may hold once at a time: a facet of an object, or, where a lineage is named, a version of it. The constraint
# compares 64 bits of a digest: four texts would cost an import of 100,000 agreements five times as long, and two names
# that share a digest could at worst refuse a commit (one chance in ten million at a million intervals).
NAME = "CASE WHEN lineage <> '' THEN lineage ELSE kind || ' ' || object_id || ' ' || facet || ' ' || party END"
ONE_AT_A_TIME = f"""ALTER TABLE registry.intervals ADD CONSTRAINT intervals_hold_once_at_a_time EXCLUDE USING gist (
    (('x' || left(md5({NAME}), 16))::bit(64)::bigint) WITH =, valid WITH &&, recorded WITH &&)"""


def upgrade() -> None:
    texts = ("kind", "object_id", "facet", "party", "lineage")
    op.create_table(
        "intervals",
        *(sa.Column(name, sa.Text(collation="C"), nullable=False) for name in texts),
        sa.Column("valid", DATERANGE, nullable=False),
        sa.Column("recorded", TSTZRANGE, nullable=False),
        # Written in the commit's own transaction alone: a foreign key would ask 400,000 times about one row.
        sa.Column("opened_version", sa.BigInteger, nullable=False),
        sa.Column("closed_version", sa.BigInteger),
        schema=SCHEMA,
    )
    op.execute(ONE_AT_A_TIME)
    op.create_index("intervals_object", "intervals", ["kind", "facet", "object_id"], schema=SCHEMA)
    of_a_party, of_a_lineage = sa.text("party <> ''"), sa.text("lineage <> ''")
    op.create_index("intervals_party", "intervals", ["party"], schema=SCHEMA, postgresql_where=of_a_party)
    op.create_index("intervals_lineage", "intervals", ["lineage"], schema=SCHEMA, postgresql_where=of_a_lineage)
    op.execute("GRANT SELECT, INSERT, UPDATE (recorded, closed_version) ON registry.intervals TO registry_service")


def downgrade() -> None:
    op.drop_table("intervals", schema=SCHEMA)
