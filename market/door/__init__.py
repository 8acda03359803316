"""The door: every request is identified, deny by default, and limited before it is read."""

from market.door.capacity import Capacity
from market.door.identification import Door, identify

__all__ = ["Capacity", "Door", "identify"]
