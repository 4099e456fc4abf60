"""Webhooks: posted once, to public addresses alone."""

from monkey_coder_server.adapters.webhooks.posting import WebhookPosting

__all__ = ["WebhookPosting"]
