"""Locked files in a hurry."""

import pytest

from market.sealing import Hardness, locked


@pytest.fixture(autouse=True)
def quickly_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock files with the least work that unlocks them; how much it is, is in each file."""
    monkeypatch.setattr(locked, "USUAL", Hardness(n=2**14))
