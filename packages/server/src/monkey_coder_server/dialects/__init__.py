"""Wire formats as pure codecs: bytes to and from `domain.conversation`."""
