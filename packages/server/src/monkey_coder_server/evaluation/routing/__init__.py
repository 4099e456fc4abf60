"""Routers on recorded outcomes: the protocol, the baselines and the product's own beliefs."""
