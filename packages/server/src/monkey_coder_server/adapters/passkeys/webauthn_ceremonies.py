"""WebAuthn by py_webauthn, which is imported when the first passkey is spoken of: most processes never hear of one."""

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monkey_coder_server.ports.passkeys import Assertion, Holder, NewCredential

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

NAME = "Monkey Coder"
TIMEOUT_MS = 300_000
"""As long as a challenge is good for."""
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error)
"""What the library raises beside its own errors for bytes that nobody's authenticator sends."""


class WebAuthnCeremonies:
    """`ports.passkeys.Ceremonies`. Relying party and origin are what people's browsers know of `base_url`, and only it.

    Nothing is asked about the make of an authenticator (attestation `none`).
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._relying_party = parts.hostname or ""

    def registration(self, holder: Holder, challenge: bytes, *, known: Sequence[bytes]) -> Mapping[str, Any]:
        """`PublicKeyCredentialCreationOptions` as JSON (WebAuthn Level 3, section 5.1.9)."""
        from webauthn import generate_registration_options  # noqa: PLC0415 - see above
        from webauthn.helpers import options_to_json_dict  # noqa: PLC0415 - see above
        from webauthn.helpers.structs import (  # noqa: PLC0415 - see above
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
        )

        options = generate_registration_options(
            rp_id=self._relying_party,
            rp_name=NAME,
            user_id=holder.handle,
            user_name=holder.name,
            user_display_name=holder.display_name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=_verification(required=False)
            ),
            exclude_credentials=_descriptors(known),
        )
        return options_to_json_dict(options)

    def registered(self, credential: Mapping[str, Any], challenge: bytes) -> NewCredential | None:
        """The credential of a genuine answer to that challenge; else None."""
        from webauthn import verify_registration_response  # noqa: PLC0415 - see above
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - see above

        try:
            found = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._relying_party,
                expected_origin=self._origin,
            )
        except (WebAuthnException, *_MALFORMED):
            return None
        return NewCredential(found.credential_id, found.credential_public_key, found.sign_count)

    def authentication(self, challenge: bytes, *, known: Sequence[bytes], verified: bool) -> Mapping[str, Any]:
        """`PublicKeyCredentialRequestOptions` as JSON; none `known` lets the authenticator find one by itself."""
        from webauthn import generate_authentication_options  # noqa: PLC0415 - see above
        from webauthn.helpers import options_to_json_dict  # noqa: PLC0415 - see above

        options = generate_authentication_options(
            rp_id=self._relying_party,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=_descriptors(known),
            user_verification=_verification(required=verified),
        )
        return options_to_json_dict(options)

    def authenticated(
        self, credential: Mapping[str, Any], challenge: bytes, *, public_key: bytes, verified: bool
    ) -> Assertion | None:
        """What a genuine answer to that challenge says; else None. `verified`: the person must have been, by it."""
        from webauthn import verify_authentication_response  # noqa: PLC0415 - see above
        from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 - see above

        try:
            found = verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=self._relying_party,
                expected_origin=self._origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,  # compared where the last one is kept, for all processes at once
                require_user_verification=verified,
            )
        except (WebAuthnException, *_MALFORMED):
            return None
        return Assertion(found.new_sign_count, found.user_verified)


def _descriptors(known: Sequence[bytes]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor  # noqa: PLC0415 - see above

    return [PublicKeyCredentialDescriptor(id=each) for each in known]


def _verification(*, required: bool) -> "UserVerificationRequirement":
    from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415 - see above

    return UserVerificationRequirement.REQUIRED if required else UserVerificationRequirement.PREFERRED
