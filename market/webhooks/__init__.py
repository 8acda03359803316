"""Webhooks: what the change feed shows somebody, sent to their own system and signed."""
