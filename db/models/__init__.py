"""The tables, as SQLAlchemy sees them. A test holds them against the migrated catalogue.

Ids are text, as in the systems this extends.
"""

from db.models import services
from db.models.base import XID8, Base
from db.models.crm import board_members, boards, opportunities, users
from db.models.log import log

__all__ = ["XID8", "Base", "board_members", "boards", "log", "opportunities", "services", "users"]
