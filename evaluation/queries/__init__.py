"""What can be read of evaluation and award."""
