"""Vectors of texts, made in this process by models that come with the installation."""
