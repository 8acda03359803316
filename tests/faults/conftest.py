"""What several tests of faults share."""

from tests.faults.scene import scene

__all__ = ["scene"]
