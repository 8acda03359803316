"""HTTP about notices."""

from market.mail.routes.notices import NoticeController
from market.mail.routes.unsubscribing import UnsubscribeController

CONTROLLERS = (NoticeController,)
"""What belongs to the API; the address for unsubscribing lies beside it, for mail programmes."""

PAGES = (UnsubscribeController,)

__all__ = ["CONTROLLERS", "PAGES"]
