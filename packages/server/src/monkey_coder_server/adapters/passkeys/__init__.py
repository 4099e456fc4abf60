"""WebAuthn."""

from monkey_coder_server.adapters.passkeys.webauthn_ceremonies import WebAuthnCeremonies

__all__ = ["WebAuthnCeremonies"]
