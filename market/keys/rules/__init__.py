"""The rules of the market's keys."""
