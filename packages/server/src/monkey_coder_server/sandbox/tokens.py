"""The sandbox's own token counting, documented and deterministic.

A token is four characters, rounded up (`count`). Every chat message costs four tokens more, an image between
258 and 1,600 by its bytes, a document one token per twenty bytes and at least 258. Real tokenizers differ; what
matters is that equal requests count equally and that the reported usage, the bill and the tally agree.
"""

CHARACTERS_PER_TOKEN = 4
MESSAGE_OVERHEAD = 4
REMOTE_MEDIA_TOKENS = 765


def count(text: str) -> int:
    """Tokens of a text."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def of_image(base64_characters: int) -> int:
    """Tokens of an inline image of that many base64 characters; 0 characters means it is fetched from a URL."""
    if not base64_characters:
        return REMOTE_MEDIA_TOKENS
    return min(1_600, 258 + base64_characters * 3 // 4 // 400)


def of_document(base64_characters: int) -> int:
    """Tokens of an inline document of that many base64 characters; 0 characters means it is fetched from a URL."""
    if not base64_characters:
        return REMOTE_MEDIA_TOKENS
    return max(258, base64_characters * 3 // 4 // 20)
