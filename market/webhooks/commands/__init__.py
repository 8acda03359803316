"""What is done with webhooks: by their makers, and by the market itself."""
