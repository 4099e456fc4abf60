"""Several agents at one task: who takes which turn, what it is told, and which answer is kept. Pure."""
