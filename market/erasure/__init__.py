"""Lawful erasure of what names a person, legal holds, and how long records are kept."""
