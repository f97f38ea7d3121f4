# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks nf_tables for single elements by raw netlink.

nft(8) lists a whole set to find one element in it, which takes a minute with a million. What is
sent is described in linux/netlink.h and linux/netfilter/nf_tables.h.
"""

import ctypes
import os
import socket
import struct

CLONE_NEWNET = 0x40000000
NETLINK_NETFILTER = 12
GET_ELEMENT = 10 << 8 | 13  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETSETELEM
NLMSG_ERROR = 2
NLM_F_REQUEST = 1
NFPROTO_INET = 1
NESTED = 0x8000
TABLE, SET, ELEMENTS = 1, 2, 3  # NFTA_SET_ELEM_LIST_*
ELEMENT, KEY, VALUE = 1, 1, 1   # NFTA_LIST_ELEM, NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE


def _attribute(kind, content):
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


class Elements:
    """In the named network namespace (of `ip netns`)."""

    def __init__(self, namespace, table="bandog"):
        libc = ctypes.CDLL(None, use_errno=True)
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        if libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.bind((0, 0))
        libc.setns(own, CLONE_NEWNET)
        os.close(own)
        os.close(other)
        self.table = table
        self.number = 0

    def has(self, name, address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        key = _attribute(NESTED | KEY, _attribute(VALUE, socket.inet_pton(family, address)))
        body = (struct.pack("=BBH", NFPROTO_INET, 0, 0)
                + _attribute(TABLE, self.table.encode() + b"\0")
                + _attribute(SET, name.encode() + b"\0")
                + _attribute(NESTED | ELEMENTS, _attribute(NESTED | ELEMENT, key)))
        self.number += 1
        self.socket.send(struct.pack("=IHHII", 16 + len(body), GET_ELEMENT, NLM_F_REQUEST,
                                     self.number, 0) + body)
        while True:
            _, kind, _, number, _ = struct.unpack_from("=IHHII", self.socket.recv(65536))
            if number == self.number:
                return kind != NLMSG_ERROR

    def close(self):
        self.socket.close()
