"""The command `monkey`: a thin layer over the SDK."""
