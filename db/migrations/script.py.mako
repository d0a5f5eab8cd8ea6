"""${message}."""

from alembic import op

from db.migrations.frozen import install, replace

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

INSTALLS = ()  # files of db/sql, such as "functions/ring"


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
