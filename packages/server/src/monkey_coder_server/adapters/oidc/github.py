"""GitHub: OAuth 2.0 with PKCE; who somebody is and which address of theirs is verified is asked of its API.

Sources: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps,
https://docs.github.com/en/rest/users/emails
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from monkey_coder_server.adapters.oidc.fetching import Fetching, text_of
from monkey_coder_server.ports.sign_in import Asked, Identity, Returned, SignInRefused


@dataclass(frozen=True, slots=True)
class GitHubHosts:
    """Where people log in, and where the API is."""

    site: str
    api: str


GITHUB_HOSTS = GitHubHosts("https://github.com", "https://api.github.com")


class GitHubSignIn:
    """`ports.sign_in.SignInProvider`. There is no nonce: the code is bound to us by PKCE and the client's secret."""

    name = "github"
    title = "GitHub"

    def __init__(self, client_id: str, client_secret: str, fetching: Fetching, hosts: GitHubHosts) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._fetching = fetching
        self._hosts = hosts

    async def address(self, asked: Asked) -> str:
        """Where to send the person."""
        query = {
            "client_id": self._client_id,
            "redirect_uri": asked.redirect_uri,
            "scope": "read:user user:email",
            "state": asked.state,
            "code_challenge": asked.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._hosts.site}/login/oauth/authorize?{urlencode(query)}"

    async def identity(self, returned: Returned) -> Identity:
        """Who came back. Raises `SignInRefused`, `Unavailable`."""
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret,
            "code": returned.code,
            "redirect_uri": returned.redirect_uri,
            "code_verifier": returned.verifier,
        }
        answer = await self._fetching.post(f"{self._hosts.site}/login/oauth/access_token", form)
        token = text_of(answer, "access_token")  # errors come with status 200, without it
        if not token:
            raise SignInRefused("GitHub refused this sign-in; begin again.")
        headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
        user = await self._fetching.get(f"{self._hosts.api}/user", headers)
        subject = user.get("id") if isinstance(user, dict) else None
        if not isinstance(subject, int) or isinstance(subject, bool):
            raise SignInRefused("GitHub did not say who signed in; begin again.")
        emails = await self._fetching.get(f"{self._hosts.api}/user/emails", headers)
        return Identity(self.name, str(subject), _verified(emails), text_of(user, "name"))


def _verified(emails: Any) -> str:
    """The primary address if GitHub verified it, else none."""
    for each in emails if isinstance(emails, list) else []:
        if isinstance(each, dict) and each.get("primary") is True and each.get("verified") is True:
            return text_of(each, "email")
    return ""
