"""The pure rules of evaluation: scoring, award methods, ranking and the stages of a lot."""
