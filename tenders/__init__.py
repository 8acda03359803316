"""Tenders: requirements, review, publication, sealed bids and their opening."""
