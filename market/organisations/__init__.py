"""Organisations: who buys, who supplies, and the public registers that prove who they are."""
