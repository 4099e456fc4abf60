"""The HTTP server: ASGI over HTTP/1.1, with bounds and deadlines."""

from monkey_coder_server.adapters.listener.server import Listener, ListenerOptions, bind

__all__ = ["Listener", "ListenerOptions", "bind"]
