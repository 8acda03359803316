"""HTTP about the registers of interests, gifts and breaches."""

from market.interests.routes.breaches import BreachController
from market.interests.routes.confirmations import ConfirmationController
from market.interests.routes.gifts import GiftController
from market.interests.routes.interests import InterestController
from market.interests.routes.registers import RegisterController

CONTROLLERS = (
    InterestController,
    ConfirmationController,
    RegisterController,
    GiftController,
    BreachController,
)
