"""What the API takes and gives about tenders, by noun."""
