"""Accounts: sign-up, log-in, sessions, second factors, API keys."""

from monkey_coder_server.features.accounts.api import AccountRoutes
from monkey_coder_server.features.accounts.cli_login import CliLoginRoutes
from monkey_coder_server.features.accounts.dependencies import Dependencies, FreshKey
from monkey_coder_server.features.accounts.factor_tools import FactorTools
from monkey_coder_server.features.accounts.factors.api import FactorRoutes
from monkey_coder_server.features.accounts.identity import Errands, IdentityRoutes
from monkey_coder_server.features.accounts.key_care import KeyCareRoutes
from monkey_coder_server.features.accounts.letters import Letters
from monkey_coder_server.features.accounts.operating import OperatorMoneyRoutes, OperatorPlanRoutes, OperatorRoutes
from monkey_coder_server.features.accounts.organizations import (
    ClosingRoutes,
    InvitationRoutes,
    OrganizationRoutes,
    RateRoutes,
    TeamRoutes,
)
from monkey_coder_server.features.accounts.single_sign_on import SignInRoutes
from monkey_coder_server.web.feature import Feature

__all__ = ["Dependencies", "FactorTools", "FreshKey", "Letters", "build"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    errands = Errands()
    joined = (
        AccountRoutes(use, errands),
        IdentityRoutes(use, errands),
        FactorRoutes(use),
        OrganizationRoutes(use),
        InvitationRoutes(use),
        KeyCareRoutes(use),
        TeamRoutes(use),
        RateRoutes(use),
        ClosingRoutes(use),
        SignInRoutes(use),
        CliLoginRoutes(use),
        OperatorRoutes(use),
        OperatorMoneyRoutes(use),
        OperatorPlanRoutes(use),
    )
    routes = tuple(route for each in joined for route in each.routes())
    return Feature("accounts", routes, start=errands.start, stop=errands.stop)
