"""The providers people can sign in with, as the settings say."""

from collections.abc import Iterable, Mapping

from monkey_coder_server.adapters.oidc import GITHUB_HOSTS, GitHubSignIn, OpenIdClient, OpenIdSignIn
from monkey_coder_server.adapters.oidc.fetching import Fetching
from monkey_coder_server.ports.sign_in import SignInProvider
from monkey_coder_server.settings import SignInSettings


def sign_in_providers(settings: Iterable[SignInSettings], fetching: Fetching) -> Mapping[str, SignInProvider]:
    """Each by its name."""
    return {each.name: _provider(each, fetching) for each in settings}


def _provider(settings: SignInSettings, fetching: Fetching) -> SignInProvider:
    secret = settings.client_secret.reveal()
    if settings.name == "github":
        return GitHubSignIn(settings.client_id, secret, fetching, GITHUB_HOSTS)
    return OpenIdSignIn(settings.name, OpenIdClient(settings.issuer, settings.client_id, secret), fetching)
