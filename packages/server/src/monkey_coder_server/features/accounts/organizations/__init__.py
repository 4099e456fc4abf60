"""Organizations: accounts that several people act for, each in a role."""

from monkey_coder_server.features.accounts.organizations.invitation_routes import InvitationRoutes
from monkey_coder_server.features.accounts.organizations.routes import OrganizationRoutes

__all__ = ["InvitationRoutes", "OrganizationRoutes"]
