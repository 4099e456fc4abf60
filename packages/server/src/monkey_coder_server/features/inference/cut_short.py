"""A stream whose provider stopped in the middle without a word: the caller gets what came, and is not charged."""

from monkey_coder_server.domain.errors import GatewayError, ProviderFailed
from monkey_coder_server.domain.usage import Usage


class CutShort(ProviderFailed):
    """`usage` is what had been delivered, by our own count."""

    def __init__(self, told: GatewayError, usage: Usage) -> None:
        super().__init__(told.message, facts=told.facts, retry_after=told.retry_after)
        self.code = told.code
        self.usage = usage
