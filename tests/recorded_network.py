"""Runs a command in a network of its own, in which every address is this machine, and records what the command asks for.

`asked_by` returns the names that the command looked up and the ports of web servers that it called. Linux only: it needs
`unshare` and `ip`, and the right to make a network namespace.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

NAME_SERVER = 53
WEB_SERVERS = (80, 443)
ALIAS_OF_NAME = 0xC00C  # a compressed name: the question's own
IPV4, INTERNET = 1, 1


def may_record() -> bool:
    """Whether this machine lets us make a network for a command."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    return subprocess.run([*_namespace(), "true"], capture_output=True).returncode == 0


def asked_by(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """What the command asked the network for, in order. Raises CalledProcessError where the command fails."""
    recorder = [*_namespace(), sys.executable, str(Path(__file__)), *command]
    ran = subprocess.run(recorder, env=dict(environment), stdout=subprocess.PIPE, check=True)
    answer: list[str] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def _namespace() -> list[str]:
    return ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def _record(command: Sequence[str]) -> int:
    """Inside the namespace: prints what was asked as JSON, in a last line. Returns the command's exit status."""
    for words in ("link set lo up", "route add local 0.0.0.0/0 dev lo"):
        subprocess.run(["ip", *words.split()], check=True)
    asked: list[str] = []
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("0.0.0.0", NAME_SERVER))
    threading.Thread(target=_answer_names, args=(names, asked), daemon=True).start()
    for port in WEB_SERVERS:
        server = socket.create_server(("0.0.0.0", port))
        threading.Thread(target=_refuse_calls, args=(server, port, asked), daemon=True).start()
    status = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    print(json.dumps(asked))
    return status


def _answer_names(names: socket.socket, asked: list[str]) -> None:
    """Every name is 127.0.0.1."""
    while True:
        question, client = names.recvfrom(512)
        labels, at = [], 12  # behind the header
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += 1 + length
        end = at + 5
        kind, _ = struct.unpack("!HH", question[at + 1 : end])
        if (name := ".".join(labels)) not in asked:
            asked.append(name)  # once for its addresses of both kinds
        answer = struct.pack("!HHHIH4B", ALIAS_OF_NAME, IPV4, INTERNET, 60, 4, 127, 0, 0, 1) if kind == IPV4 else b""
        header = question[:2] + struct.pack("!HHHHH", 0x8180, 1, len(answer) > 0, 0, 0)
        names.sendto(header + question[12:end] + answer, client)


def _refuse_calls(server: socket.socket, port: int, asked: list[str]) -> None:
    while True:
        call, _ = server.accept()
        asked.append(f"port {port}")
        call.close()


if __name__ == "__main__":
    sys.exit(_record(sys.argv[1:]))
