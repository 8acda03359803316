"""Evaluation: panels, scores, moderation, award methods, award and standstill."""
