"""The market itself: shared ground, people and organisations, the event log, the assembled app."""
