"""File formats that need a library of their own."""
