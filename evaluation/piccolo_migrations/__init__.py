"""Migrations, in the order of their ids; never edited once released."""
