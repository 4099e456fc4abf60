"""Password hashing."""

from monkey_coder_server.adapters.passwords.argon2_pool import Argon2Pool

__all__ = ["Argon2Pool"]
