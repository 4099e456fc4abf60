"""What people do with their address, their password and their sessions."""

from monkey_coder_server.features.accounts.identity.addresses import ask_to_verify
from monkey_coder_server.features.accounts.identity.api import IdentityRoutes
from monkey_coder_server.features.accounts.identity.errands import Errands

__all__ = ["Errands", "IdentityRoutes", "ask_to_verify"]
