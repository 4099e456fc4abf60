"""The scenarios' assertions explain themselves as those of test files do."""

import pytest

NAMES = ("ends", "errors", "talk", "thinking", "tools")
pytest.register_assert_rewrite("tests.matrix.stage", *(f"tests.matrix.scenarios_{name}" for name in NAMES))
