"""Retries are a share of calls: a provider in trouble is not asked twice by everybody."""

SHARE = 0.1
"""What each first call adds: retries come to at most a tenth of calls."""
MOST = 10.0
"""Retries that may be saved up; a process begins with them."""


class RetryBudget:
    """Of one provider."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens = MOST

    def called(self) -> None:
        """A request called the provider for the first time."""
        self._tokens = min(MOST, self._tokens + SHARE)

    @property
    def allows(self) -> bool:
        """Whether a request may ask the provider once more."""
        return self._tokens >= 1.0

    def spend(self) -> None:
        """A request was asked again; one that went elsewhere is never refused and spends what there is."""
        self._tokens = max(0.0, self._tokens - 1.0)
