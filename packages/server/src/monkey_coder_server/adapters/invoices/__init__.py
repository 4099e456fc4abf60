"""What providers say they billed: their cost APIs, and files downloaded from their consoles."""
