"""What providers are told about keeping prompts, as the operator set it."""

import hmac

from monkey_coder_server.features import inference
from monkey_coder_server.settings import Settings


def prompt_cache_settings(settings: Settings) -> inference.PromptCacheSettings:
    """The names of conversations are keyed by the pepper, so that all processes give the same."""
    pepper = settings.key_pepper.reveal().encode()
    secret = hmac.digest(pepper, b"monkey-coder prompt caches", "sha256")
    return inference.PromptCacheSettings(on=settings.prompt_caches, secret=secret)
