"""The rules of the tamper-evident log: pure, without a database, a clock or settings."""
