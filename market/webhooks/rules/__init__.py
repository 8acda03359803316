"""Pure rules of webhooks: where they may be sent, when again, and how much of anything."""
