"""What every endpoint needs of HTTP: routes, bodies, answers, errors, credentials, event streams."""
