"""The language of a text is told by cheap signs, the surest first."""

import pytest

from monkey_coder_server.domain.work_language import language_of


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("fix src/router.py and tests/test_router.py, then main.js", "python"),
        ("```rust\nfn main() {}\n```", "rust"),
        ("see a.ts and b.py", "python"),
        ("port it to TypeScript", "typescript"),
        ("a Java program", "java"),
        ("\ndef run(): ...", "python"),
        ("#include <stdio.h>", "c"),
        ("#include <vector>", "cpp"),
        ("select name from users", "sql"),
        ("see README.md", ""),
        ("", ""),
    ],
)
def test_files_and_fences_come_before_names_and_names_before_keywords(said: str, language: str) -> None:
    assert language_of(said) == language


def test_only_the_ends_of_a_long_text_are_read() -> None:
    matter = "lorem ipsum " * 500
    assert language_of(f"a.py {matter}") == "python"
    assert language_of(f"{matter} a.go") == "go"
    assert language_of(f"{matter} a.py {matter}") == ""
