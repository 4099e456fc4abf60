"""The providers people can sign in with, as the settings say. What speaks with them is loaded where there are any."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monkey_coder_server.ports.sign_in import SignInProvider
from monkey_coder_server.settings import SignInSettings

if TYPE_CHECKING:
    from monkey_coder_server.adapters.oidc.fetching import Fetching


@dataclass(frozen=True, slots=True)
class SignIn:
    """Each provider by its name, and how their connections are closed."""

    providers: Mapping[str, SignInProvider]
    close: Callable[[], Awaitable[None]]


async def _nothing_to_close() -> None:
    """No provider, no connection."""


def sign_in_of(settings: Iterable[SignInSettings]) -> SignIn:
    """What is set up."""
    wanted = tuple(settings)
    if not wanted:
        return SignIn({}, _nothing_to_close)
    from monkey_coder_server.adapters.oidc.fetching import Fetching  # noqa: PLC0415 - its HTTP client is heavy

    fetching = Fetching()
    return SignIn({each.name: _provider(each, fetching) for each in wanted}, fetching.close)


def _provider(settings: SignInSettings, fetching: "Fetching") -> SignInProvider:
    from monkey_coder_server.adapters import oidc  # noqa: PLC0415 - see above

    secret = settings.client_secret.reveal()
    if settings.name == "github":
        return oidc.GitHubSignIn(settings.client_id, secret, fetching, oidc.GITHUB_HOSTS)
    return oidc.OpenIdSignIn(settings.name, oidc.OpenIdClient(settings.issuer, settings.client_id, secret), fetching)
