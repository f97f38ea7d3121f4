# SPDX-License-Identifier: GPL-2.0-or-later
"""A name server for scenarios: what ANSWERS says, nothing else has an address."""

import socket
import struct
import threading

# name: ([IPv4 addresses], [IPv6 addresses])
ANSWERS = {}


def answer(query):
    """The reply of RFC 1035 to one question for A (1) or AAAA (28)."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    v4, v6 = ANSWERS.get(".".join(labels).lower(), ([], []))
    found = [socket.inet_aton(a) for a in v4] if kind == 1 else \
        [socket.inet_pton(socket.AF_INET6, a) for a in v6] if kind == 28 else []
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(a)) + a for a in found)
    return head + query[12:at + 5] + body


class NameServer:
    """Answers on the loopback of the server's namespace; counts what it is asked."""

    def __init__(self, s):
        with s.namespaces.inside("server"):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 53))
        self.asked = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(512)
            self.asked += 1
            self.socket.sendto(answer(query), peer)
