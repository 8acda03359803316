"""Measures for Prometheus: requests, their times, the connection pool, what runs."""

import os
from importlib.metadata import version

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from market.database import DB

REQUESTS = Counter("market_requests", "Requests answered.", ("method", "route", "status"))
DURATIONS = Histogram(
    "market_request_duration_seconds",
    "Time from a request's arrival to the end of its answer.",
    ("method", "route"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
POOL_SIZE = Gauge(
    "market_pool_connections", "Database connections open.", multiprocess_mode="livesum"
)
POOL_USED = Gauge(
    "market_pool_connections_used", "Database connections in use.", multiprocess_mode="livesum"
)
BUILD = Gauge(
    "market_build_info",
    "Always 1; the label says what runs.",
    ("version",),
    multiprocess_mode="max",
)
# What was sent is not counted where anybody reads it: it would tell, by being polled, that a bid
# has arrived and its bidder been told. What went wrong is.
NOTICE_FAULTS = Counter(
    "market_notice_faults", "Kinds of notice that failed, or were given up.", ("kind", "outcome")
)
MAILS_FAILED = Counter("market_mails_failed", "Mails that will not be sent.")
VERSION = version("commissioning-support-market")


def note_pool() -> None:
    """Set the gauges of the connection pool to what it is now."""
    pool = DB.pool
    size = pool.get_size() if pool is not None else 0
    POOL_SIZE.set(size)
    POOL_USED.set(size - pool.get_idle_size() if pool is not None else 0)


def exposition() -> tuple[bytes, str]:
    """All measures as Prometheus reads them, and their media type.

    Where several processes serve, PROMETHEUS_MULTIPROC_DIR names the folder they share.
    """
    note_pool()
    registry: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's own
    return generate_latest(registry), CONTENT_TYPE_LATEST
