"""One file a provider: its facts, quirks and model cards."""
