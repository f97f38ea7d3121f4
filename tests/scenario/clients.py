# SPDX-License-Identifier: GPL-2.0-or-later
"""People and machines that talk SMTP to the server: honest ones, and the others."""

from mailserver import VALID_USER

KNOCK_SECONDS = 0.4  # below the second after which the kernel would knock again by itself
RELAY, NO_REVERSE, UNKNOWN = 554, 450, 550
# What a client says (HELO name, recipient) to be answered with that code.
SAYINGS = {
    RELAY: ("client.test", "someone@elsewhere.test"),
    NO_REVERSE: ("no-reverse.test", f"{VALID_USER}@example.test"),
    UNKNOWN: ("client.test", "nobody@example.test"),
}


def refused(s, source, replies, wanted):
    """Those replies; but a ban may cut the connection before its failure is answered."""
    got = [code for code, _ in replies]
    s.check(got in (wanted, wanted[:-1]), f"replies to {source}: got {got}, wanted {wanted}")


def offend(s, source, code, recipient=None):
    """One connection that is refused with that code; it hangs up without a word."""
    helo, usual = SAYINGS[code]
    replies = s.dialog(source, [f"EHLO {helo}", "MAIL FROM:<bob@remote.test>",
                                f"RCPT TO:<{recipient or usual}>"])
    refused(s, source, replies, [220, 250, 250, code])


def deliver(s, source):
    """A whole message, accepted."""
    replies = s.dialog(source, ["EHLO honest.test", "MAIL FROM:<carol@remote.test>",
                                f"RCPT TO:<{VALID_USER}@example.test>", "DATA",
                                "Subject: hello\r\n\r\nhow are you?\r\n.", "QUIT"])
    s.equal([got for got, _ in replies], [220, 250, 250, 250, 354, 250, 221],
            f"replies to {source}, who is honest")


def is_shut_out(s, source, port=25):
    return s.connect(source, port, KNOCK_SECONDS) == "timeout"
