"""Whatever the protocol comes to hold: every struct says what it is and has a JSON schema of its own."""

import importlib
import pkgutil

import msgspec
import pytest

import monkey_coder_protocol

MODULES = [
    importlib.import_module(f"{monkey_coder_protocol.__name__}.{found.name}")
    for found in pkgutil.iter_modules(monkey_coder_protocol.__path__)
]
STRUCTS = sorted(
    {
        each
        for module in MODULES
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == module.__name__
    },
    key=lambda struct: (struct.__module__, struct.__name__),
)


def test_there_are_structs() -> None:
    assert len(STRUCTS) > 30


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: f"{struct.__module__}.{struct.__name__}")
def test_a_struct_says_what_it_is_and_has_a_schema(struct: type[msgspec.Struct]) -> None:
    assert struct.__doc__
    _, components = msgspec.json.schema_components([struct])
    assert struct.__name__ in components
