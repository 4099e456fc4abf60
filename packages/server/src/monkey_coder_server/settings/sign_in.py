"""Providers people can sign in with: `OIDC_…`."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from monkey_coder_server.settings.faults import Secret, SettingsError, wrong

GOOGLE_ISSUER = "https://accounts.google.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_KINDS = ("google", "github", "generic")
SIGN_IN_VARIABLES = (
    ("OIDC_GOOGLE_CLIENT_ID", "Signing in with Google: the client's id there."),
    ("OIDC_GOOGLE_CLIENT_SECRET", "And its secret."),
    ("OIDC_GITHUB_CLIENT_ID", "Signing in with GitHub: the OAuth app's client id."),
    ("OIDC_GITHUB_CLIENT_SECRET", "And its secret."),
    ("OIDC_GENERIC_ISSUER", "Signing in with any OpenID Connect provider: its issuer, as its discovery document says."),
    ("OIDC_GENERIC_CLIENT_ID", "The client's id there."),
    ("OIDC_GENERIC_CLIENT_SECRET", "And its secret."),
)
"""Names and meanings."""


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """One provider. `issuer` is of OpenID Connect; empty for GitHub."""

    name: str
    client_id: str
    client_secret: Secret
    issuer: str


def read_sign_in(values: Mapping[str, str]) -> tuple[SignInSettings, ...]:
    """The providers that are set. Raises `SettingsError`."""
    issuer = values.get("OIDC_GENERIC_ISSUER", "").strip()
    if issuer:
        _check(issuer)
    issuers = {"google": GOOGLE_ISSUER, "github": "", "generic": issuer}
    found = []
    for name in _KINDS:
        client = f"OIDC_{name.upper()}_CLIENT"
        client_id, secret = values.get(f"{client}_ID", "").strip(), values.get(f"{client}_SECRET", "").strip()
        if bool(client_id) != bool(secret) or (name == "generic" and bool(issuer) != bool(client_id)):
            more = ", and OIDC_GENERIC_ISSUER," if name == "generic" else ""
            message = f"{client}_ID and {client}_SECRET{more} belong together: set all of them, or none."
            raise SettingsError(message)
        if client_id:
            found.append(SignInSettings(name, client_id, Secret(secret), issuers[name]))
    return tuple(found)


def _check(issuer: str) -> None:
    parts = urlsplit(issuer)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise wrong("OIDC_GENERIC_ISSUER", issuer, "an address like https://login.example.com")
