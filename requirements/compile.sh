#!/bin/sh
# Recompiles the lock files. --no-emit-index-url and --no-header keep every registry's host out of them (DESIGN §1).
set -eu
cd "$(dirname "$0")/.."
UV="${UV:-.venv/bin/uv}"
compile() { "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"; }
members="--no-emit-package monkey-coder-protocol --no-emit-package monkey-coder --no-emit-package monkey-coder-server"
# shellcheck disable=SC2086
compile $members packages/client/pyproject.toml packages/protocol/pyproject.toml -o requirements/client.lock
# shellcheck disable=SC2086
compile $members packages/server/pyproject.toml packages/protocol/pyproject.toml -o requirements/server.lock
# shellcheck disable=SC2086
compile $members packages/client/pyproject.toml packages/server/pyproject.toml packages/protocol/pyproject.toml requirements/dev.in -o requirements/dev.lock
compile requirements/uv.in -o requirements/uv.lock
compile requirements/published-sdk.in -o requirements/published-sdk.lock
compile requirements/agents-aider.in -o requirements/agents-aider.lock
compile requirements/agents-llm.in -o requirements/agents-llm.lock
compile requirements/rival-litellm.in -o requirements/rival-litellm.lock
