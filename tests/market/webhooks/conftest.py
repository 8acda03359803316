"""Webhooks in a hurry: this machine may be sent to, and waits are short."""

import pytest

from market.settings import Settings


@pytest.fixture
def settings() -> Settings:
    """Settings that allow targets on this machine, with a retry schedule of moments."""
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        webhook_private_targets=True,
        webhook_timeout=1.0,
        webhook_lease=30.0,
        webhook_first_retry=0.05,
        webhook_retry_span=0.3,
        webhook_deliveries_at_once=16,
    )
