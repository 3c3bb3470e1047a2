"""The socket that `ivr serve` listens on: its own, or one that whoever started the process holds and passes on. The
kernel queues connections to that one while the process is replaced, so that none is refused.

https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html"""

import os
import socket
from collections.abc import MutableMapping

from ivr.cli import place

FIRST_PASSED = 3
"""The descriptor of the first socket that is passed on."""
_NAMES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_CURE = "let the socket unit have one ListenStream=127.0.0.1:8000 and nothing else"


def passed_on(environment: MutableMapping[str, str]) -> socket.socket | None:
    """The socket that this process was started with; None where it was started with none. What says so is taken out of
    the environment: it is for nobody else. Gives up for what is no listening TCP socket, and for several."""
    pid, count, _ = (environment.pop(name, "") for name in _NAMES)
    if pid != str(os.getpid()) or count in ("", "0"):
        return None
    if count != "1":
        place.give_up(f"{count} sockets were passed on: {_CURE}.")
    try:
        found = socket.socket(fileno=FIRST_PASSED)
        is_tcp = found.type == socket.SOCK_STREAM and found.family in (socket.AF_INET, socket.AF_INET6)
        is_listening = bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError as error:
        place.give_up(f"LISTEN_FDS says that a socket was passed on, and there is none ({error.strerror}): {_CURE}.")
    if not (is_tcp and is_listening):
        place.give_up(f"What was passed on is not a TCP socket that listens: {_CURE}.")
    found.set_inheritable(False)
    return found


def new(host: str, port: int) -> socket.socket:
    """A socket of this process's own. Gives up where the address is taken, or nobody's here."""
    try:
        return socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        place.give_up(f"{host}:{port} cannot be listened on ({error.strerror}). Name another port with PORT.")
