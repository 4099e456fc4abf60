"""The HTTP server: uvicorn with deadlines of our own."""

from monkey_coder_server.adapters.listener.server import Listener, ListenerOptions, bind

__all__ = ["Listener", "ListenerOptions", "bind"]
