"""A statement that moves past spans of a log fails as a whole where another consumer has moved on."""

from alembic import op

revision = "20261122_notifier_all_moved"
down_revision = "20261122_ledger_endpoints_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION notifier.all_moved(moved bigint, expected integer) RETURNS boolean LANGUAGE plpgsql AS $$
        BEGIN
          IF moved <> expected THEN
            RAISE EXCEPTION 'another consumer has moved on' USING ERRCODE = 'CC001';
          END IF;
          RETURN true;
        END $$
        """
    )
    op.execute("REVOKE EXECUTE ON FUNCTION notifier.all_moved FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION notifier.all_moved TO notifier_service")


def downgrade() -> None:
    op.execute("DROP FUNCTION notifier.all_moved")
