"""What the API takes and gives about evaluation and award."""
