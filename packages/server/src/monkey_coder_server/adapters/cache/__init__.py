"""Answers kept for those who ask the same again: in this process's memory, or shared in Redis."""
