"""Measuring what the product decides, on recorded outcomes."""
