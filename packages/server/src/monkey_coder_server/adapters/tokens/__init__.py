"""Access tokens: signed JWTs."""

from monkey_coder_server.adapters.tokens.jwt_tokens import JwtTokens

__all__ = ["JwtTokens"]
