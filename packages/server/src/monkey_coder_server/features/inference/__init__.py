"""The request path: a task comes in, one model answers it, its exact price is settled."""
