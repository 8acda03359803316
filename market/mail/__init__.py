"""E-mail notices: what happened in the log, told to those whom it concerns."""
