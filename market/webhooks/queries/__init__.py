"""What can be read about webhooks: themselves, and the log of what they delivered."""
