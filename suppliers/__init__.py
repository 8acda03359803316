"""Suppliers, from applicant to admitted supplier."""
