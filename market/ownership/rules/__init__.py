"""What ownership statements say, and what follows from it: pure, without a database or a clock."""
