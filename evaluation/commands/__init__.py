"""Acts of evaluation and award: each one transaction, recorded, and refused by name."""
