"""The composition root: settings, adapters, features, one application. Only it names concrete classes."""
