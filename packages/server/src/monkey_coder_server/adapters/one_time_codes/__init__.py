"""Time-based one-time passwords."""

from monkey_coder_server.adapters.one_time_codes.totp import TotpCodes

__all__ = ["TotpCodes"]
