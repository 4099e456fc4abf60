"""Encryption of what is kept for a while and nobody but its owner may read."""
