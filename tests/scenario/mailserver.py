# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Postfix in the server's namespace, set up to answer with each kind of reject."""

import os
import shutil
import signal

from network import GATEWAY4, GATEWAY6
from outcome import Failure, Skip, tail

VALID_USER = "alice"

MASTER_CF = """
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
discard   unix  -       -       n       -       -       discard
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
anvil     unix  -       -       n       -       1       anvil
proxymap  unix  -       -       n       -       -       proxymap
postlog   unix-dgram n  -       n       -       1       postlogd
"""

# no-reverse.test is how a client asks for the answer that depends on the domain system.
MAIN_CF = """
compatibility_level = 3.6
config_directory = {dir}/etc
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {log}
maillog_file_prefixes = {dir}
maillog_file_permissions = 0644
multi_instance_name = postfix-scenario
multi_instance_enable = yes
syslog_name = postfix
myhostname = mx.example.test
mydomain = example.test
mydestination = example.test
mynetworks = 127.0.0.0/8
inet_interfaces = all
inet_protocols = all
alias_maps =
alias_database =
local_recipient_maps = inline:{{ {{ {user} = {user} }} }}
local_transport = discard:
default_transport = error:nothing leaves this machine
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_helo_access inline:{{
    {{ no-reverse.test = reject_unknown_reverse_client_hostname }} }}
smtpd_tls_security_level = none
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_banner = $myhostname ESMTP
smtputf8_enable = no
"""


class Postfix:
    """An instance of its own: configuration, queue and log in the temporary folder."""

    def __init__(self, scenario, settings, name, log):
        if not shutil.which("postfix", path="/usr/sbin:/sbin:" + os.environ["PATH"]):
            raise Skip("there is no Postfix (package postfix)")
        self.scenario = scenario
        self.dir = os.path.join(scenario.dir, name)
        self.log = os.path.join(self.dir, log)
        self.write_config(settings)
        self.start_log = os.path.join(scenario.dir, name + "-start.log")
        with open(self.start_log, "ab") as out:
            self.child = scenario.start(
                ["/usr/sbin/postfix", "-c", os.path.join(self.dir, "etc"), "start-fg"],
                "server", out)
        scenario.wait_for(self.answers, 20, "Postfix to answer", self.why_not)

    def write_config(self, settings):
        for folder in ("etc", "queue", "data"):
            os.makedirs(os.path.join(self.dir, folder), 0o755)
        shutil.chown(os.path.join(self.dir, "data"), "postfix")
        main = MAIN_CF.format(dir=self.dir, log=self.log, user=VALID_USER) + "\n".join(settings) + "\n"
        for name, text in (("main.cf", main), ("master.cf", MASTER_CF)):
            with open(os.path.join(self.dir, "etc", name), "w", encoding="ascii") as f:
                f.write(text.lstrip())
        open(self.log, "a", encoding="ascii").close()

    def answers(self):
        if self.child.poll() is not None:
            raise Failure("Postfix ended: " + self.why_not())
        return all(self.scenario.connect(source, 25, 1) == "ok"
                   for source in (GATEWAY4, GATEWAY6))

    def why_not(self):
        return tail(self.start_log) + tail(self.log)

    def lines(self):
        with open(self.log, encoding="utf-8", errors="backslashreplace") as f:
            return f.read().splitlines()

    def stop(self):
        # The whole group: the master alone would leave its children.
        with open(os.path.join(self.dir, "queue", "pid", "master.pid"), encoding="ascii") as f:
            master = int(f.read())
        os.killpg(master, signal.SIGTERM)
        self.child.wait(20)
        self.scenario.wait_for(lambda: not os.path.exists(f"/proc/{master}"), 10,
                               "Postfix to end")
        self.scenario.wait_for(
            lambda: self.scenario.connect(GATEWAY4, 25, 1) == "refused", 10,
            "Postfix to let go of its port")
