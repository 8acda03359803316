"""What can be read about tenders, by noun."""
