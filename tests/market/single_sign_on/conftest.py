"""A market whose identity provider is one on this machine that a test tells what to do."""

from collections.abc import AsyncIterator

import pytest

from market.settings import Settings
from tests.makers.identity_provider import CLIENT, REDIRECT, SECRET, Provider, serving


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A provider of the test's own."""
    async with serving() as running:
        yield running


@pytest.fixture
def settings(provider: Provider) -> Settings:
    """Settings that name it."""
    return Settings(
        pool_minimum=1,
        pool_maximum=12,
        requests_per_minute=1_000_000,
        sign_ins_per_minute=100_000,
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_redirect_uri=REDIRECT,
        oidc_timeout=15.0,  # a busy machine is no slow provider
    )
