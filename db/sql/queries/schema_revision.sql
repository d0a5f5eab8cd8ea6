SELECT version_num FROM feed.alembic_version
