"""Anthropic's messages dialect."""
