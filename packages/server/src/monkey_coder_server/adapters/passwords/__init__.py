"""Password hashing, and the passwords that are too common."""

from monkey_coder_server.adapters.passwords.argon2_pool import Argon2Pool
from monkey_coder_server.adapters.passwords.password_filter import CommonPasswordFilter

__all__ = ["Argon2Pool", "CommonPasswordFilter"]
