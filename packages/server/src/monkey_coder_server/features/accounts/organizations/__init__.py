"""Organizations: accounts that several people act for, each in a role."""

from monkey_coder_server.features.accounts.organizations.closing_routes import ClosingRoutes
from monkey_coder_server.features.accounts.organizations.invitation_routes import InvitationRoutes
from monkey_coder_server.features.accounts.organizations.rate_routes import RateRoutes
from monkey_coder_server.features.accounts.organizations.routes import OrganizationRoutes
from monkey_coder_server.features.accounts.organizations.team_routes import TeamRoutes

__all__ = ["ClosingRoutes", "InvitationRoutes", "OrganizationRoutes", "RateRoutes", "TeamRoutes"]
