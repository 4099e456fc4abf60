"""Signing in with an account at Google, GitHub or any OpenID Connect provider."""

from monkey_coder_server.features.accounts.single_sign_on.routes import SignInRoutes

__all__ = ["SignInRoutes"]
