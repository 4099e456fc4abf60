"""The one version of the three distributions."""

VERSION = "0.1.0"
