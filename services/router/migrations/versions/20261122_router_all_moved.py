"""A statement that moves past spans of a log fails as a whole where another consumer has moved on."""

from alembic import op

revision = "20261122_router_all_moved"
down_revision = "20261122_router_undoing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION router.all_moved(moved bigint, expected integer) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
          IF moved <> expected THEN
            RAISE EXCEPTION 'another consumer has moved on' USING ERRCODE = 'CC001';
          END IF;
          RETURN true;
        END $$
        """
    )
    op.execute("REVOKE EXECUTE ON FUNCTION router.all_moved FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION router.all_moved TO router_service")


def downgrade() -> None:
    op.execute("DROP FUNCTION router.all_moved")
