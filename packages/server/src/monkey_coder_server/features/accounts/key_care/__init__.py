"""What becomes of keys after they were made: changed, given a new secret, reported as leaked."""

from monkey_coder_server.features.accounts.key_care.routes import KeyCareRoutes

__all__ = ["KeyCareRoutes"]
