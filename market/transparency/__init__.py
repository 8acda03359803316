"""The tamper-evident log: what anybody can check of the record, without trusting who keeps it."""
