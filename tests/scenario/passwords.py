# SPDX-License-Identifier: GPL-2.0-or-later
"""A password server as Postfix asks it (Dovecot's protocol): it knows one password only."""

import base64
import os
import socket
import threading

USER, PASSWORD = "alice", "correct horse"
GREETING = ("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n"
            "COOKIE\t00000000000000000000000000000000\nDONE\n")


def plain(user, password):
    """What a client sends behind AUTH PLAIN."""
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class PasswordServer:
    def __init__(self, folder):
        self.path = os.path.join(folder, "passwords")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def settings(self):
        """For main.cf."""
        return ["smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = dovecot",
                f"smtpd_sasl_path = unix:{self.path}"]

    def accept(self):
        while True:
            peer, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=[peer], daemon=True).start()

    @staticmethod
    def serve(peer):
        with peer, peer.makefile("rw", encoding="ascii", newline="\n") as stream:
            stream.write(GREETING)
            stream.flush()
            for line in stream:
                words = line.rstrip("\n").split("\t")
                if words[0] != "AUTH":
                    continue
                if not any(x.startswith("resp=") for x in words):
                    stream.write(f"CONT\t{words[1]}\t\n")
                    stream.flush()
                    continue
                given = "".join(x[len("resp="):] for x in words if x.startswith("resp="))
                user = base64.b64decode(given).decode().split("\0")[1]
                is_right = given == plain(USER, PASSWORD)
                stream.write(f"{'OK' if is_right else 'FAIL'}\t{words[1]}\tuser={user}\n")
                stream.flush()
