"""`client.keys` and `client.auth`, sync and async: they only name the prepared calls."""

from typing import Protocol, TypeVar

from monkey_coder import _requests
from monkey_coder._requests import Call
from monkey_coder_protocol import auth, cli_login, factors, identity, organizations

T = TypeVar("T")


class Caller(Protocol):
    """A synchronous client."""

    def call(self, call: Call[T]) -> T:
        """Send one prepared call."""


class AsyncCaller(Protocol):
    """An asynchronous client."""

    async def call(self, call: Call[T]) -> T:
        """Send one prepared call."""


class Keys:
    """API keys of the account."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def list(self) -> auth.KeyList:
        """All keys, without their secrets."""
        return self._client.call(_requests.list_keys())

    def create(self, key: str | auth.CreateKeyRequest) -> auth.CreatedKey:
        """Make a key by name, or with restrictions. The answer is the only place that shows its secret."""
        return self._client.call(_requests.create_key(_key_request(key)))

    def revoke(self, key_id: str) -> auth.Message:
        """End a key at once."""
        return self._client.call(_requests.revoke_key(key_id))

    def limits(self, *, key_id: str | None = None, project_id: str | None = None) -> organizations.KeyPolicy:
        """Every rate, limit and rule that counts for this key, another one or a project, and where each is from."""
        return self._client.call(_requests.limits(key_id, project_id))


class AsyncKeys:
    """API keys of the account."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def list(self) -> auth.KeyList:
        """All keys, without their secrets."""
        return await self._client.call(_requests.list_keys())

    async def create(self, key: str | auth.CreateKeyRequest) -> auth.CreatedKey:
        """Make a key by name, or with restrictions. The answer is the only place that shows its secret."""
        return await self._client.call(_requests.create_key(_key_request(key)))

    async def revoke(self, key_id: str) -> auth.Message:
        """End a key at once."""
        return await self._client.call(_requests.revoke_key(key_id))

    async def limits(self, *, key_id: str | None = None, project_id: str | None = None) -> organizations.KeyPolicy:
        """Every rate, limit and rule that counts for this key, another one or a project, and where each is from."""
        return await self._client.call(_requests.limits(key_id, project_id))


class Auth:
    """The account behind the client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def register(
        self, email: str, password: str, *, name: str | None = None, plan: str | None = None
    ) -> auth.TokenResponse:
        """Make an account with a wallet."""
        body = auth.RegisterRequest(email=email, password=password, name=name, plan=plan)
        return self._client.call(_requests.register(body))

    def login(
        self, email: str, password: str, *, client: str | None = None, host: str | None = None
    ) -> auth.TokenResponse:
        """Session tokens; `client="cli"` also asks for a long-lived `api_key`, named after `host`.

        May raise `MfaRequiredError`.
        """
        return self._client.call(
            _requests.login(auth.LoginRequest(email=email, password=password, client=client, host=host))
        )

    def verify_mfa(self, mfa_token: str, code: str) -> auth.TokenResponse:
        """The second step of a login that raised `MfaRequiredError`: a one-time code or a recovery code."""
        body = factors.MfaVerifyRequest(mfa_token=mfa_token, code=code)
        return self._client.call(_requests.verify_mfa(body))

    def begin_device_login(
        self, *, client_name: str | None = None, host: str | None = None
    ) -> cli_login.DeviceAuthorization:
        """Codes for a log-in that a person answers in a browser anywhere (RFC 8628)."""
        body = cli_login.DeviceAuthorizationRequest(client_name=client_name, host=host)
        return self._client.call(_requests.begin_device_login(body))

    def poll_device_login(self, device_code: str) -> cli_login.CommandLineKey:
        """The key, once the person has approved; until then an error says why not, such as `authorization_pending`."""
        return self._client.call(_requests.poll_device_login(device_code))

    def redeem_code(self, code: str, *, verifier: str, redirect_uri: str) -> cli_login.CommandLineKey:
        """The key for a code that a browser brought to `redirect_uri` (RFC 8252, RFC 7636)."""
        body = cli_login.CodeTokenRequest(code=code, code_verifier=verifier, redirect_uri=redirect_uri)
        return self._client.call(_requests.redeem_code(body))

    def refresh(self, refresh_token: str) -> auth.TokenResponse:
        """New session tokens; each refresh token is good for one use."""
        return self._client.call(_requests.refresh(refresh_token))

    def logout(self) -> auth.Message:
        """End the session whose token this client carries."""
        return self._client.call(_requests.logout())

    def status(self) -> auth.AuthStatus:
        """Who this client is to the gateway; anonymous is an answer, not an error."""
        return self._client.call(_requests.auth_status())

    def forgot_password(self, email: str) -> identity.Done:
        """Have a mail sent to set a new password with. The answer does not tell whether there is such an account."""
        return self._client.call(_requests.forgot_password(email))

    def change_password(self, current: str, new: str) -> identity.Done:
        """A new password, which ends every session but this client's. Takes the token of a session, no key."""
        return self._client.call(_requests.change_password(current, new))

    def sessions(self) -> identity.SessionList:
        """Where the person is logged in. Takes the token of a session, no key."""
        return self._client.call(_requests.sessions())

    def end_session(self, session_id: str) -> auth.Message:
        """End one of the person's sessions. Takes the token of a session, no key."""
        return self._client.call(_requests.end_session(session_id))

    def end_sessions(self, *, this_one: bool = True) -> identity.EndedSessions:
        """End all sessions of the person, with or without this client's. Takes the token of a session, no key."""
        return self._client.call(_requests.end_sessions(this_one=this_one))


class AsyncAuth:
    """The account behind the client."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def register(
        self, email: str, password: str, *, name: str | None = None, plan: str | None = None
    ) -> auth.TokenResponse:
        """Make an account with a wallet."""
        body = auth.RegisterRequest(email=email, password=password, name=name, plan=plan)
        return await self._client.call(_requests.register(body))

    async def login(
        self, email: str, password: str, *, client: str | None = None, host: str | None = None
    ) -> auth.TokenResponse:
        """Session tokens; `client="cli"` also asks for a long-lived `api_key`, named after `host`.

        May raise `MfaRequiredError`.
        """
        body = auth.LoginRequest(email=email, password=password, client=client, host=host)
        return await self._client.call(_requests.login(body))

    async def verify_mfa(self, mfa_token: str, code: str) -> auth.TokenResponse:
        """The second step of a login that raised `MfaRequiredError`: a one-time code or a recovery code."""
        body = factors.MfaVerifyRequest(mfa_token=mfa_token, code=code)
        return await self._client.call(_requests.verify_mfa(body))

    async def begin_device_login(
        self, *, client_name: str | None = None, host: str | None = None
    ) -> cli_login.DeviceAuthorization:
        """Codes for a log-in that a person answers in a browser anywhere (RFC 8628)."""
        body = cli_login.DeviceAuthorizationRequest(client_name=client_name, host=host)
        return await self._client.call(_requests.begin_device_login(body))

    async def poll_device_login(self, device_code: str) -> cli_login.CommandLineKey:
        """The key, once the person has approved; until then an error says why not, such as `authorization_pending`."""
        return await self._client.call(_requests.poll_device_login(device_code))

    async def redeem_code(self, code: str, *, verifier: str, redirect_uri: str) -> cli_login.CommandLineKey:
        """The key for a code that a browser brought to `redirect_uri` (RFC 8252, RFC 7636)."""
        body = cli_login.CodeTokenRequest(code=code, code_verifier=verifier, redirect_uri=redirect_uri)
        return await self._client.call(_requests.redeem_code(body))

    async def refresh(self, refresh_token: str) -> auth.TokenResponse:
        """New session tokens; each refresh token is good for one use."""
        return await self._client.call(_requests.refresh(refresh_token))

    async def logout(self) -> auth.Message:
        """End the session whose token this client carries."""
        return await self._client.call(_requests.logout())

    async def status(self) -> auth.AuthStatus:
        """Who this client is to the gateway; anonymous is an answer, not an error."""
        return await self._client.call(_requests.auth_status())

    async def forgot_password(self, email: str) -> identity.Done:
        """Have a mail sent to set a new password with. The answer does not tell whether there is such an account."""
        return await self._client.call(_requests.forgot_password(email))

    async def change_password(self, current: str, new: str) -> identity.Done:
        """A new password, which ends every session but this client's. Takes the token of a session, no key."""
        return await self._client.call(_requests.change_password(current, new))

    async def sessions(self) -> identity.SessionList:
        """Where the person is logged in. Takes the token of a session, no key."""
        return await self._client.call(_requests.sessions())

    async def end_session(self, session_id: str) -> auth.Message:
        """End one of the person's sessions. Takes the token of a session, no key."""
        return await self._client.call(_requests.end_session(session_id))

    async def end_sessions(self, *, this_one: bool = True) -> identity.EndedSessions:
        """End all sessions of the person, with or without this client's. Takes the token of a session, no key."""
        return await self._client.call(_requests.end_sessions(this_one=this_one))


def _key_request(key: str | auth.CreateKeyRequest) -> auth.CreateKeyRequest:
    return auth.CreateKeyRequest(name=key) if isinstance(key, str) else key
