"""The native API of Monkey Coder: its structs, error codes and SSE parser."""
