"""The resources, one a file: what a call to each may ask, what it changes, and what is told of it."""
