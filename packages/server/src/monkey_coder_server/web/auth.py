"""From a request's credential to who is asking."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from monkey_coder_server.domain import api_keys
from monkey_coder_server.domain.errors import Forbidden, InvalidApiKey, NotAuthenticated, NotFound
from monkey_coder_server.domain.roles import SCOPES_OF, Role
from monkey_coder_server.domain.scopes import OPERATOR_ADMIN, OPERATOR_SCOPES, covers
from monkey_coder_server.ports.accounts import KeyRecord, Keys, Sessions
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.operators import Operators
from monkey_coder_server.ports.organizations import Memberships
from monkey_coder_server.ports.plans import AccountPlans
from monkey_coder_server.ports.security import SessionTokens
from monkey_coder_server.ports.teams import ModelRules
from monkey_coder_server.web.feature import Credential
from monkey_coder_server.web.key_digests import KeyDigests
from monkey_coder_server.web.principal import ANONYMOUS, Principal
from monkey_coder_server.web.request import Request

KEY_PREFIX = "mk-"
ORGANIZATION_HEADER = "x-mk-organization"
"""Names the account of an organization a person acts for; without it they act for their own."""
_HOW = "Send your key as `Authorization: Bearer mk-…`; `monkey auth login` or POST /v1/auth/login gives you one."
ORGANIZATION_PARAMETER = "organization_id"
"""A route whose path has it acts for that organization, whatever the header says."""
_NOT_A_MEMBER = f"You are no member of the organization that the header {ORGANIZATION_HEADER} names."
_NO_ORGANIZATION = "There is no such organization, or you do not belong to it; GET /v1/organizations lists yours."


@dataclass(frozen=True, slots=True)
class CredentialStores:
    """Where credentials and the rights they give are looked up."""

    keys: Keys
    sessions: Sessions
    memberships: Memberships
    operators: Operators
    rules: ModelRules
    plans: AccountPlans


class Authenticator:
    """Form and checksum of a key are judged before anything is looked up. `peppers` key the stored digests."""

    def __init__(
        self,
        *,
        peppers: api_keys.Peppers,
        stores: CredentialStores,
        tokens: SessionTokens,
        clock: Clock,
    ) -> None:
        self._digests = KeyDigests(peppers)
        self._keys = stores.keys
        self._sessions = stores.sessions
        self._memberships = stores.memberships
        self._operators = stores.operators
        self._rules = stores.rules
        self._plans = stores.plans
        self._tokens = tokens
        self._clock = clock

    async def authenticate(self, request: Request, credential: Credential, scope: str | None) -> Principal:
        """Who is asking, with everything a route demands. Who is known and refused is noted in the request.

        Raises `NotAuthenticated`, `InvalidApiKey`, `Forbidden`, `Unavailable`, and `NotFound` for a path
        that names an organization of others.
        """
        if credential == "public":
            return ANONYMOUS
        principal = await self.identify(request)
        if principal.anonymous:
            message = f"No credential was sent. {_HOW}"
            raise NotAuthenticated(message)
        request.principal = principal
        if principal.key is None and credential == "key":
            message = f"This route takes an API key, not a session token. {_HOW}"
            raise Forbidden(message)
        if principal.key is not None and credential == "session":
            raise Forbidden("This route acts for a person: log in and send the access token, not an API key.")
        if scope in OPERATOR_SCOPES:
            await self._check_operator(principal, scope)
        elif scope is not None and not covers(principal.scopes, scope):
            raise Forbidden(_lacks(principal, scope))
        return principal

    async def _check_operator(self, principal: Principal, scope: str) -> None:
        """Whether the person runs the gateway, whatever they are in an account. Nobody does so in another's place."""
        if principal.key is not None or principal.impersonator:
            raise Forbidden("This route is for operators who act as themselves.")
        roles = await self._operators.roles(principal.user_id)
        if not covers(frozenset(role.scope for role in roles), scope):
            message = (
                f"This asks for `{scope}`: an operator with `{OPERATOR_ADMIN}`, or `monkey-server admin operators "
                "grant`, gives it. No account's role has it."
            )
            raise Forbidden(message)

    async def identify(self, request: Request) -> Principal:
        """Who is asking, anonymous when nothing was sent. Raises as `authenticate` does for a bad credential."""
        secret = credential_of(request)
        if secret is None:
            return ANONYMOUS
        named = request.parameters.get(ORGANIZATION_PARAMETER)
        if secret.startswith(KEY_PREFIX):
            principal = await self._by_key(secret, request.client_ip)
            if named not in {None, principal.account_id}:
                raise NotFound(_NO_ORGANIZATION)
            return principal
        if secret.count(".") == 2:
            return await self._by_token(secret, request.header(ORGANIZATION_HEADER), named)
        message = f"The credential is neither an API key nor an access token. {_HOW}"
        raise InvalidApiKey(message)

    async def key_of(self, secret: str) -> KeyRecord | None:
        """The key of a secret, also when revoked or expired. Raises `InvalidApiKey` for what cannot be a key."""
        return await self._keys.find(*self._digests.of(secret))

    async def _by_key(self, secret: str, client_ip: str) -> Principal:
        key = await self._keys.find(*self._digests.of(secret))
        if key is None:
            raise InvalidApiKey("There is no such API key. Check that it belongs to this gateway, or make a new one.")
        now = self._clock.now()
        _check_alive(key, now)
        if key.ip_allow is not None and not address_allowed(client_ip, key.ip_allow):
            raise Forbidden(
                "This key may not be used from this network address; call from an allowed one, or use another key."
            )
        self._keys.touch(key.key_id, now)
        rules = self._rules.standing(key.account_id, key_id=key.key_id, project_id=key.project_id, team_id=key.team_id)
        return Principal(
            account_id=key.account_id,
            user_id=key.user_id,
            key=key,
            scopes=key.scopes,
            rules=rules,
            plan=self._plans.standing(key.account_id, now),
            key_id=key.key_id,
        )

    async def _by_token(self, secret: str, organization: str | None, named: str | None) -> Principal:
        now = self._clock.now()
        claims = self._tokens.read(secret, now=int(now.timestamp()))
        if claims is None:
            raise NotAuthenticated("The access token is not valid or has expired; log in again or refresh it.")
        session = await self._sessions.find(claims.session_id)
        if session is None or session.revoked or session.expires_at <= now:
            raise NotAuthenticated("The session has ended; log in again.")
        account_id = named or organization or claims.account_id
        role, strict = await self._role(claims.user_id, account_id, own=claims.account_id)
        if role is None:
            raise Forbidden(_NOT_A_MEMBER) if named is None else NotFound(_NO_ORGANIZATION)
        return Principal(
            account_id=account_id,
            user_id=claims.user_id,
            session_id=claims.session_id,
            session_expires=claims.expires,
            scopes=SCOPES_OF[role],
            role=role,
            confirmed_at=session.confirmed_at,
            rules=self._rules.standing(account_id),
            plan=self._plans.standing(account_id, now),
            second_factor=session.second_factor,
            second_factor_required=strict,
            impersonator=session.impersonator,
            key_id=claims.session_id,
        )

    async def _role(self, user_id: str, account_id: str, *, own: str) -> tuple[Role | None, bool]:
        """What a person is in an account, and whether it wants a second factor of them."""
        if account_id == own:
            return Role.OWNER, False
        membership = await self._memberships.find(account_id, user_id)
        if membership is None:
            return None, False
        return membership.role, membership.second_factor_required


def _lacks(principal: Principal, scope: str) -> str:
    if principal.key is not None:
        return f"This key lacks the scope `{scope}`; make a key that has it with POST /v1/keys."
    return f"Your role `{principal.role}` in this organization lacks `{scope}`; ask an owner or admin for another role."


def credential_of(request: Request) -> str | None:
    """The one secret of a request, wherever its SDK puts it. Raises `InvalidApiKey` when two different ones came."""
    headers = request.headers
    found = _bearer(headers.get("authorization"))
    for secret in (headers.get("x-api-key"), headers.get("x-goog-api-key"), request.query.get("key")):
        if secret and secret != found:
            if found:
                raise InvalidApiKey("Two different credentials were sent; send one, in one place.")
            found = secret
    return found or None


def _bearer(sent: str | None) -> str | None:
    if sent is None:
        return None
    scheme, _, given = sent.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidApiKey("The Authorization header must read `Bearer <key>`.")
    given = given.strip()
    return None if given == "None" else given  # what the published Python SDK sends when it was given no key


def address_allowed(address: str, allowed: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks; an unreadable address lies in none."""
    try:
        where = ip_address(address)
    except ValueError:
        return False
    return any(where in _network(entry) for entry in allowed)


@lru_cache(maxsize=4096)
def _network(entry: str) -> IPv4Network | IPv6Network:
    return ip_network(entry, strict=False)


def _check_alive(key: KeyRecord, now: datetime) -> None:
    if key.revoked_at is not None:
        raise InvalidApiKey("This API key was revoked; use another one or make a new one.")
    if key.replaced(now):
        raise InvalidApiKey("This API key was given a new secret; use that one.")
    if key.expires_at is not None and key.expires_at <= now:
        message = f"This API key expired on {key.expires_at:%Y-%m-%d}; make a new one."
        raise InvalidApiKey(message)
