"""Pages of files leave the process, and come back by themselves."""

import hashlib
import re
from pathlib import Path

import pytest

from monkey_coder_server.adapters.signing.ed25519 import Ed25519PrivateKey
from monkey_coder_server.adapters.system import mapped

STATUS = Path("/proc/self/status")
CLEAN = "7f0000000000-7f0000002000 r-xp 00000000 08:01 42   /usr/lib/libclean.so\nAnonymous:             0 kB\n"
WRITTEN = "7f0000002000-7f0000003000 r--p 00002000 08:01 42   /usr/lib/libclean.so\nAnonymous:             4 kB\n"
WRITABLE = "7f0000003000-7f0000004000 rw-p 00003000 08:01 42   /usr/lib/libclean.so\nAnonymous:             0 kB\n"
NAMELESS = "7f0000004000-7f0000005000 r--p 00000000 00:00 0 \nAnonymous:             0 kB\n"
SPECIAL = "7f0000005000-7f0000006000 r-xp 00000000 00:00 0    [vdso]\nAnonymous:             0 kB\n"


def of_files() -> int:
    found = re.search(r"RssFile:\s+(\d+) kB", STATUS.read_text(encoding="ascii"))
    assert found is not None
    return int(found[1])


@pytest.mark.skipif(not mapped._SMAPS.exists(), reason="the kernel does not tell what is mapped")
def test_pages_of_files_are_let_go_and_what_is_in_them_works_on() -> None:
    key, signed = Ed25519PrivateKey.generate(), b"a receipt"
    signature = key.sign(signed)
    before = of_files()
    mapped.let_go_of_files()
    assert of_files() < before
    key.public_key().verify(signature, signed)
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")


def test_what_was_written_or_is_in_no_file_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    advised = list[tuple[int, int]]()

    class Library:
        class Madvise:
            def __call__(self, start: int, size: int, _advice: int) -> None:
                advised.append((start, size))

        madvise = Madvise()

    told = tmp_path / "smaps"
    told.write_text(WRITABLE + CLEAN + WRITTEN + NAMELESS + SPECIAL + CLEAN.replace("7f", "6f"), encoding="ascii")
    monkeypatch.setattr(mapped, "_SMAPS", told)
    monkeypatch.setattr(mapped.ctypes, "CDLL", lambda _name: Library())
    mapped.let_go_of_files()
    assert advised == [(0x7F0000000000, 0x2000), (0x6F0000000000, 0x2000)]


def test_another_kernel_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mapped, "_SMAPS", tmp_path / "none")
    mapped.let_go_of_files()
