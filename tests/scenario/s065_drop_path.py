#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A ban holds whatever a packet is wrapped in: VLANs, extension headers, fragments, on the way to others.
# asan: no
import contextlib
import socket
import struct
import time

import harness
import one_jail
from network import ip

BAD4, GOOD4, BAD6, GOOD6 = "198.51.100.7", "198.51.100.8", "2001:db8:1000::7", "2001:db8:1000::8"
VLAN = {"vlan5": ("10.5.0.1", "10.5.0.66", "10.5.0.77"),
        "inner": ("10.6.0.1", "10.6.0.66", "10.6.0.77")}  # server, banned, other
BEHIND, ROUTE, BEHIND_ROUTER = "10.9.0.2", "10.9.0.0/24", "10.9.0.1"
IPV6_HDRINCL = 36  # <linux/in6.h>
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
PAD = bytes([0, 0, 1, 4, 0, 0, 0, 0])  # what is next is filled in; then four bytes of nothing
TCP = socket.IPPROTO_TCP


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn(source, to, payload=b""):
    """A SYN to port 25 over IPv6."""
    src, dst = socket.inet_pton(socket.AF_INET6, source), socket.inet_pton(socket.AF_INET6, to)
    tcp = struct.pack("!HHIIBBHHH", 40000, 25, 1, 0, 0x50, 2, 1024, 0, 0) + payload
    pseudo = src + dst + struct.pack("!IxxxB", len(tcp), TCP)
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    return src, dst, tcp


def packet(src, dst, headers, content):
    """@headers: (kind, bytes whose first one says what is next)."""
    kinds = [kind for kind, _ in headers] + [TCP]
    body = b"".join(bytes([following]) + raw[1:]
                    for (_, raw), following in zip(headers, kinds[1:])) + content
    return struct.pack("!IHBB", 6 << 28, len(body), kinds[0], 64) + src + dst + body


def send(s, raw):
    with s.namespaces.inside("client"):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with sock:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
        sock.sendto(raw, (harness.SERVER6, 0))


def stopped(s, who):
    """Packets, by the kernel's counter of the element."""
    for ban in s.bandog_json("why", who)["bans"]:
        return ban["stopped"]["packets"]
    return None


def wrapped(s):
    for name, headers in (
            ("nothing", []),
            ("a hop-by-hop header", [(HOP_BY_HOP, PAD)]),
            ("three extension headers", [(HOP_BY_HOP, PAD), (DESTINATION, PAD),
                                         (ROUTING, bytes([0, 0, 0, 0, 0, 0, 0, 0]))]),
            ("a fragment header of a whole packet", [(FRAGMENT, bytes(8))])):
        s.step(f"IPv6, the SYN behind {name}: dropped and counted")
        before = stopped(s, BAD6)
        src, dst, tcp = syn(BAD6, harness.SERVER6)
        send(s, packet(src, dst, headers, tcp))
        s.wait_for(lambda: stopped(s, BAD6) == before + 1, 3, "one more packet stopped")


def fragments(s):
    s.step("IPv6 in two fragments: the first is dropped, so the whole never comes together")
    src, dst, tcp = syn(BAD6, harness.SERVER6, bytes(100))
    before = stopped(s, BAD6)
    for offset, part, more in ((0, tcp[:64], 1), (64, tcp[64:], 0)):
        header = struct.pack("!BBHI", 0, 0, offset | more, 4711)
        send(s, packet(src, dst, [(FRAGMENT, header)], part))
    s.wait_for(lambda: stopped(s, BAD6) > before, 3, "a packet stopped")


def mapped(s):
    s.step("an IPv4 client of a socket for IPv6 is the same client")
    with s.namespaces.inside("server"):
        both = socket.create_server(("::", 2525), family=socket.AF_INET6, dualstack_ipv6=True)
    with both, s.open(GOOD4, 2525, 1):
        peer, address = both.accept()
        peer.close()
        s.equal(address[0], f"::ffff:{GOOD4}")
    s.equal(s.connect(BAD4, 25, 0.4), "timeout")
    s.equal(s.connect(GOOD4, 25), "ok")
    one_jail.fail(s, s.knock_log, "::ffff:198.51.100.9")
    s.wait_for(lambda: "198.51.100.9" in s.nft_set("knock-ipv4"), 5, "the ban, as IPv4")


def connects(s, source, to, port=25, seconds=0.4):
    with s.namespaces.inside("client"):
        sock = socket.socket()
    with sock:
        sock.bind((source, 0))
        sock.settimeout(seconds)
        try:
            sock.connect((to, port))
        except (TimeoutError, ConnectionRefusedError) as e:
            return "timeout" if isinstance(e, TimeoutError) else "refused"
        return "ok"


def has_vlans(s):
    return s.run(["ip", "link", "add", "link", "lo", "name", "try", "type", "vlan", "id", "2"],
                 ns="client", check=False).returncode == 0


def vlans(s):
    if not has_vlans(s):
        s.step("VLANs: not tried, this kernel has none")
        return
    s.step("VLANs, and one within the other")
    for role, place in (("server", 0), ("client", 1)):
        more = "" if role == "server" else "".join(
            f"address add {VLAN[name][2]}/24 dev {name}\n" for name in VLAN)
        s.namespaces.batch(role, f"""
            link add link eth0 name vlan5 type vlan id 5
            link add link vlan5 name inner type vlan id 6
            link set vlan5 up
            link set inner up
            address add {VLAN["vlan5"][place]}/24 dev vlan5
            address add {VLAN["inner"][place]}/24 dev inner
            {more}""")
    for name, (server, bad, good) in VLAN.items():
        s.wait_for(lambda to=server, by=bad: connects(s, by, to, seconds=1) == "ok", 5,
                   "the way through")
        one_jail.fail(s, s.knock_log, bad)
        s.wait_for(lambda who=bad: who in s.nft_set("knock-ipv4"), 5, "the ban")
        s.equal(connects(s, bad, server), "timeout", name)
        s.equal(connects(s, good, server, seconds=1), "ok", name)


def forwarded(s):
    s.step("what goes on to others, as to containers, is dropped as well")
    name = f"{s.namespaces.names['server']}b"
    ip("netns", "add", name)
    try:
        ip("link", "add", "behind", "netns", s.namespaces.names["server"], "type", "veth", "peer",
           "name", "eth0", "netns", name)
        s.namespaces.batch("server", f"""
            address add {BEHIND_ROUTER}/24 dev behind
            link set behind up""")
        s.namespaces.batch("client", f"route add {ROUTE} via {harness.SERVER4}")
        s.run(["ip", "-n", name, "address", "add", f"{BEHIND}/24", "dev", "eth0"])
        s.run(["ip", "-n", name, "link", "set", "eth0", "up"])
        s.run(["ip", "-n", name, "route", "add", "default", "via", BEHIND_ROUTER])
        s.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"], ns="server")
        child = s.start(["ip", "netns", "exec", name, "python3", "-c",
                         "import socket,time\n"
                         "l = [socket.create_server(('', p)) for p in (25, 80)]\n"
                         "time.sleep(60)"], ns=None)
        s.wait_for(lambda: connects(s, GOOD4, BEHIND, seconds=1) == "ok", 5, "the way through")
        s.equal(connects(s, BAD4, BEHIND), "timeout")
        s.equal(connects(s, BAD4, BEHIND, 80, 1), "ok", "a port that the ban does not close")
        child.terminate()
        child.wait(5)
    finally:
        with contextlib.suppress(Exception):
            ip("netns", "del", name)


def scenario(s):
    s.knock_log = s.log("knock.log")
    one_jail.configure(s, s.knock_log)
    s.bandogd()
    s.listen(25)
    for who in (BAD4, BAD6):
        one_jail.fail(s, s.knock_log, who)
    s.wait_for(lambda: BAD6 in s.nft_set("knock-ipv6"), 5, "the bans")
    time.sleep(0.1)
    mapped(s)
    wrapped(s)
    fragments(s)
    vlans(s)
    forwarded(s)


harness.main(scenario)
