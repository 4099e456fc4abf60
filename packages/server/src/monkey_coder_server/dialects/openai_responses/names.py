"""The words of the Responses API that several modules need."""

from typing import Final

DIALECT: Final = "openai-responses"
HOME: Final = "openai"
"""The provider whose encrypted reasoning callers see as it is."""
