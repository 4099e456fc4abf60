"""What second factors are made of and proved with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from monkey_coder_server.ports.factors import Factors, OneTimeCodes, SecondFactorRules
from monkey_coder_server.ports.passkeys import Ceremonies
from monkey_coder_server.ports.replies import Sealing


@dataclass(frozen=True, slots=True)
class FactorTools:
    """`new_recovery_codes` gives a set of them; `recovery_digests` what one may be stored as, today's way first.

    `sealing` keeps secrets of one-time codes from whoever has the database alone.
    """

    rules: SecondFactorRules
    codes: OneTimeCodes
    ceremonies: Ceremonies
    sealing: Sealing
    new_recovery_codes: Callable[[], Sequence[str]]
    recovery_digests: Callable[[str], Sequence[bytes]]

    @property
    def store(self) -> Factors:
        """Where people's factors are kept."""
        return self.rules.factors
