# SPDX-License-Identifier: GPL-2.0-or-later
"""Two network namespaces joined by a veth pair: see harness.py for the picture."""

import contextlib
import ctypes
import glob
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from outcome import Failure, Skip

SERVER4, SERVER6 = "192.0.2.1", "2001:db8::1"
GATEWAY4, GATEWAY6 = "192.0.2.254", "2001:db8::fe"
CLIENT_NETS = ["198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8:1000::/36"]
TEMP_PREFIX = "bandog-scenario-"
CLONE_NEWNET = 0x40000000  # <linux/sched.h>
IPV6_FREEBIND = 78  # <linux/in6.h>


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Namespaces:
    """The server's and the client's network, named after this process."""

    def __init__(self):
        self.names = {"server": f"bd{os.getpid()}s", "client": f"bd{os.getpid()}c"}
        self.fds = {}

    def create(self):
        try:
            for name in self.names.values():
                ip("netns", "add", name)
        except FileNotFoundError:
            raise Skip("there is no ip (package iproute2)") from None
        except subprocess.CalledProcessError as e:
            raise Skip(f"no network namespaces here: {e.stderr.strip()}") from None
        for role, name in self.names.items():
            self.fds[role] = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self.join()

    def join(self):
        server, client = self.names["server"], self.names["client"]
        ip("link", "add", "eth0", "netns", server, "type", "veth", "peer", "name", "eth0",
           "netns", client)
        self.batch("server", f"""
            link set lo up
            link set eth0 addrgenmode none
            link set eth0 up
            address add fe80::1/64 dev eth0 nodad
            address add {SERVER4}/24 dev eth0
            address add {SERVER6}/64 dev eth0 nodad
            route add default via {GATEWAY4}
            route add default via {GATEWAY6}""")
        # Link-local addresses by hand: the kernel's own would wait for duplicates first.
        # Every address of a "local" route is the client's own, without being assigned.
        local = "\n".join(f"route add local {net} dev lo" for net in CLIENT_NETS)
        self.batch("client", f"""
            link set lo up
            link set eth0 addrgenmode none
            link set eth0 up
            address add fe80::fe/64 dev eth0 nodad
            address add {GATEWAY4}/24 dev eth0
            address add {GATEWAY6}/64 dev eth0 nodad
            {local}""")

    def batch(self, role, text):
        lines = "".join(line.strip() + "\n" for line in text.strip().splitlines())
        done = subprocess.run(["ip", "-n", self.names[role], "-batch", "-"], input=lines,
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"set-up of the {role}'s network: {done.stderr}")

    def prefix(self, role):
        return ["ip", "netns", "exec", self.names[role]] if role else []

    @contextlib.contextmanager
    def inside(self, role):
        """This thread in a namespace: sockets made here belong there for good."""
        libc = ctypes.CDLL(None, use_errno=True)
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(self.fds[role], CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            if libc.setns(home, CLONE_NEWNET) != 0:
                os._exit(1)  # in the wrong network nothing may go on
            os.close(home)

    def connect(self, src, port, seconds):
        """A connection from src to the server, over the family of src."""
        is_v6 = ":" in src
        with self.inside("client"):
            sock = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET)
        try:
            if is_v6:  # the address is routed to the client, not assigned
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            sock.bind((src, 0))
            sock.settimeout(seconds)
            sock.connect((SERVER6 if is_v6 else SERVER4, port))
        except BaseException:
            sock.close()
            raise
        return sock

    def remove(self):
        for fd in self.fds.values():
            os.close(fd)
        self.fds.clear()
        for name in self.names.values():
            if os.path.exists(f"/run/netns/{name}"):
                remove_namespace(name)


class Listener:
    """Accepts and holds connections, on all addresses of the server."""

    def __init__(self, namespaces, port):
        self.peers = []
        self.held = []
        with namespaces.inside("server"):
            self.sockets = [self.bind(socket.AF_INET, "0.0.0.0", port),
                            self.bind(socket.AF_INET6, "::", port)]
        self.selector = selectors.DefaultSelector()
        for sock in self.sockets:
            self.selector.register(sock, selectors.EVENT_READ)
        threading.Thread(target=self.accept, daemon=True).start()

    @staticmethod
    def bind(family, address, port):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(1024)
        return sock

    def accept(self):
        """Until the end of the program takes the sockets, or the selector, away."""
        with contextlib.suppress(OSError):
            while True:
                for key, _ in self.selector.select():
                    held, peer = key.fileobj.accept()
                    self.held.append(held)
                    self.peers.append(peer[0])


def pids_in(name):
    found = subprocess.run(["ip", "netns", "pids", name], check=False, capture_output=True,
                           text=True)
    return [int(pid) for pid in found.stdout.split()]


def remove_namespace(name):
    deadline = time.monotonic() + 5
    while pids := pids_in(name):  # again: one of them may have been forking
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    subprocess.run(["ip", "netns", "delete", name], check=False)


def sweep():
    """Put away what a scenario left that was killed with SIGKILL."""
    for path in glob.glob("/run/netns/bd*[sc]"):
        found = re.fullmatch(r"bd(\d+)[sc]", os.path.basename(path))
        if found and not os.path.exists(f"/proc/{found[1]}"):
            remove_namespace(found[0])
    for path in glob.glob(os.path.join(tempfile.gettempdir(), TEMP_PREFIX + "*")):
        found = re.match(TEMP_PREFIX + r"(\d+)-", os.path.basename(path))
        if found and not os.path.exists(f"/proc/{found[1]}"):
            shutil.rmtree(path, ignore_errors=True)


def is_open(sock):
    """Neither closed nor reset by the server, behind what it has said."""
    sock.settimeout(0)
    try:
        while sock.recv(4096):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
