"""Log-in of a command line: by device code (RFC 8628) and by browser with PKCE (RFC 7636, RFC 8252)."""

import msgspec

from monkey_coder_protocol.auth import UserInfo
from monkey_coder_protocol.errors import ErrorBody

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CODE_GRANT = "authorization_code"
CLIENT_ID = "monkey-cli"


class DeviceAuthorizationRequest(msgspec.Struct, kw_only=True):
    """Who asks: the person is shown `client_name` and `host` before they answer."""

    client_id: str | None = None
    client_name: str | None = None
    host: str | None = None


class DeviceAuthorization(msgspec.Struct, kw_only=True):
    """RFC 8628, section 3.2. Times in seconds; `interval` is the least time between two questions for the token."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceTokenRequest(msgspec.Struct, kw_only=True):
    """RFC 8628, section 3.4."""

    device_code: str
    grant_type: str = DEVICE_GRANT
    client_id: str | None = None


class CodeTokenRequest(msgspec.Struct, kw_only=True):
    """RFC 6749, section 4.1.3 with RFC 7636, section 4.5. `redirect_uri` as it was when the code was asked for."""

    code: str
    code_verifier: str
    redirect_uri: str
    grant_type: str = CODE_GRANT
    client_id: str | None = None


class CommandLineKey(msgspec.Struct, kw_only=True):
    """A long-lived key for one command line; `access_token` and `api_key` are both that key."""

    access_token: str
    api_key: str
    key_id: str
    key_name: str
    user: UserInfo
    token_type: str = msgspec.field(default="Bearer")


class OAuthErrorBody(ErrorBody, kw_only=True):
    """The native error body with the fields of RFC 6749, section 5.2; `error` is the same word as `error_code`."""

    error: str
    error_description: str


class DeviceQuestion(msgspec.Struct, kw_only=True):
    """What a device code asks of a person: who asks, from where, when (RFC 3339 UTC)."""

    user_code: str
    client_name: str
    host: str
    address: str
    asked_at: str


class UserCode(msgspec.Struct):
    """The code from the screen, however typed."""

    user_code: str
