"""Sign-in with OpenID Connect providers, and with GitHub, which speaks OAuth 2.0 without identity tokens."""

from monkey_coder_server.adapters.oidc.github import GITHUB_HOSTS, GitHubHosts, GitHubSignIn
from monkey_coder_server.adapters.oidc.openid import OpenIdClient, OpenIdSignIn

__all__ = ["GITHUB_HOSTS", "GitHubHosts", "GitHubSignIn", "OpenIdClient", "OpenIdSignIn"]
