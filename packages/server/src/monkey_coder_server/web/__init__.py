"""Starlette helpers shared by the features: decode, respond, authenticate."""
