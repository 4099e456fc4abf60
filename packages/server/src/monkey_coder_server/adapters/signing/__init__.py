"""Signatures under receipts."""
