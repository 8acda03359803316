"""What can be read of the registers."""
