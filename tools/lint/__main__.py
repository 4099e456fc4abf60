"""`python -m tools.lint`: run every rule over every tracked or new Python file; exit 1 on a finding."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.lint.hosts import registry_hosts
from tools.lint.rules import ALL_RULES, Finding, Source

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[str]:
    """Paths git tracks or would track, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.splitlines() if (ROOT / path).is_file()]


def findings() -> Iterator[Finding]:
    """Every breach in the checkout."""
    for path in tracked("*.py"):
        text = (ROOT / path).read_text(encoding="utf-8")
        source = Source(path, text, ast.parse(text, path))
        for rule in ALL_RULES:
            yield from rule(source)
    for path in tracked():
        if not path.endswith((".gz", ".png", ".jsonl")):
            yield from registry_hosts(path, (ROOT / path).read_text(encoding="utf-8", errors="replace"))


def main() -> int:
    """Print the findings; 0 when there are none."""
    found = sorted(findings(), key=lambda finding: (finding.path, finding.line))
    for finding in found:
        print(f"{finding.path}:{finding.line}: {finding.rule}: {finding.message}")
    print(f"own rules: {len(found)} findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
