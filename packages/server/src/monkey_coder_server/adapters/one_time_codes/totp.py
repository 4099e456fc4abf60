"""RFC 6238 with what every authenticator app takes: SHA-1, six digits, 30 seconds."""

from datetime import datetime
from hmac import compare_digest

import pyotp

STEP_SECONDS = 30
DRIFT = (0, -1, 1)
"""Steps a clock may be off by (RFC 6238, section 5.2)."""
DIGITS = 6


class TotpCodes:
    """`ports.factors.OneTimeCodes`. Apps show codes under the name of the `issuer`."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def new_secret(self) -> str:
        """160 random bits as base32."""
        return pyotp.random_base32()

    def address(self, secret: str, *, account: str) -> str:
        """The `otpauth:` URI an app reads from a QR code."""
        return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=self._issuer)

    def step(self, secret: str, code: str, at: datetime) -> int | None:
        """The time step a code is of: that of the time, the one before or the one after; None for a wrong code."""
        if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
            return None
        totp, now = pyotp.TOTP(secret), int(at.timestamp()) // STEP_SECONDS
        found = [now + drift for drift in DRIFT if compare_digest(totp.generate_otp(now + drift), code)]
        return found[0] if found else None
