"""Accounts: sign-up, log-in, sessions, API keys."""

from monkey_coder_server.features.accounts.api import AccountRoutes
from monkey_coder_server.features.accounts.dependencies import Dependencies, FreshKey
from monkey_coder_server.features.accounts.letters import Letters
from monkey_coder_server.features.accounts.organizations import OrganizationRoutes
from monkey_coder_server.web.feature import Feature

__all__ = ["Dependencies", "FreshKey", "Letters", "build"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    return Feature("accounts", (*AccountRoutes(use).routes(), *OrganizationRoutes(use).routes()))
