"""Monkey Coder for users: the SDK and the command `monkey`."""
