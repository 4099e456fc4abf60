"""Whether what is cut off is cut off in silence: no connection ends, nothing arrives, and all of it arrives later.

`python -m tests.hosts.silence` prints what a client on a host sees of a server, or a word of why there is no namespace.
"""

import os
import socket
import subprocess
import sys
import threading

from tests.hosts import namespaces
from tests.hosts.network import Network, Wired

SILENT_SECONDS = 1.0
SEEN = ["before: a", "silent: nothing", "after: b"]
_CLIENT = f"""
import socket, sys
host, _, port = sys.argv[1].partition(":")
server = socket.create_connection((host, int(port)))
server.sendall(b"a")
print("before:", server.recv(1).decode(), flush=True)
sys.stdin.readline()
server.sendall(b"b")
server.settimeout({SILENT_SECONDS})
try:
    print("silent:", server.recv(1), flush=True)
except TimeoutError:
    print("silent: nothing", flush=True)
server.settimeout(60)
print("after:", server.recv(1).decode(), flush=True)
"""


def seen(network: Network) -> list[str]:
    """What a client on the host prints whose server is cut off between its first and its second word."""
    with socket.create_server(("", 0)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        address, link = network.reach(server.getsockname()[1])
        command = network.command([sys.executable, "-c", _CLIENT, address])
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            said = [client.stdout.readline()]
            link.silent = True
            client.stdin.write("go on\n")
            said.append(client.stdout.readline())
            link.mend()
            said.append(client.stdout.readline())
    network.close()
    return [each.strip() for each in said]


def _echo(server: socket.socket) -> None:
    client, _ = server.accept()
    with client:
        while word := client.recv(1):
            client.sendall(word)


def main() -> int:
    """See the module."""
    if namespaces.INSIDE in os.environ:
        namespaces.open_loopback()
        sys.stdout.write("\n".join(seen(namespaces.Cable(1))) + "\n")
        return 0
    try:
        command = namespaces.command_inside([sys.executable, "-m", "tests.hosts.silence"])
    except namespaces.NotAllowed as refused:
        sys.stdout.write(f"not allowed: {refused}\n")
        return 0
    return subprocess.run(command, env={**os.environ, namespaces.INSIDE: "1"}, check=False).returncode


def wired() -> list[str]:
    """The same through a wire."""
    return seen(Wired())


if __name__ == "__main__":
    sys.exit(main())
