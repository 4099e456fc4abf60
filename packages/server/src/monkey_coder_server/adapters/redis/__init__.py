"""The shared store on Redis: one connection for all commands, one for what is heard, a deadline and a breaker."""

from monkey_coder_server.adapters.redis.checking import unreachable
from monkey_coder_server.adapters.redis.store import RedisStore

__all__ = ["RedisStore", "unreachable"]
