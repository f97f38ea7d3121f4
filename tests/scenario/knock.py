# SPDX-License-Identifier: GPL-2.0-or-later
"""A configuration of fail2ban with a filter and an action of its own, and commands of its
client that one can give in order: for comparisons of clients and of servers."""

FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused <ADDR>$
ignoreregex = ^\s*\S+ knock\[\d+\]: refused 198\.51\.100\.99$
"""
ACTION = """[Definition]
actionstart = touch {dir}/started-<name>
actionban = echo <ip> >> {dir}/banned-<name>
actionunban = echo <ip> >> {dir}/freed-<name>
[Init]
colour = green
"""
JAILS = """[DEFAULT]
backend = polling
filter = knock
maxretry = 3
findtime = 10m
bantime = 1h
ignoreip = 127.0.0.0/8 192.0.2.77
usedns = no
[one]
enabled = true
logpath = {log}
action = note[name=one]
[two]
enabled = true
logpath = {log}
maxretry = 5
datepattern = ^%%b %%d %%H:%%M:%%S
[asleep]
enabled = false
logpath = {log}
"""

A, B, C = "198.51.100.7", "198.51.100.8", "2001:db8:1::9"

COMMANDS = [
    ["ping"], ["echo", "a", "b c"], ["server-status"], ["sleep", "0.01"],
    ["status"], ["status", "one"], ["status", "two"], ["status", "one", "short"],
    ["status", "nobody"], ["status", "one", "short", "long"],
    ["get", "loglevel"], ["set", "loglevel", "ERROR"], ["set", "loglevel", "INFO"],
    ["get", "dbpurgeage"], ["set", "dbpurgeage", "2d"], ["get", "dbpurgeage"],
    ["get", "dbmaxmatches"], ["set", "dbmaxmatches", "7"],
    ["set", "dbmaxmatches", "many"],
    ["get", "syslogsocket"], ["set", "allowipv6", "auto"],
    # jails
    ["get", "one", "maxretry"], ["set", "one", "maxretry", "4"],
    ["get", "one", "maxretry"], ["set", "one", "maxretry", "x"],
    ["set", "nobody", "maxretry", "4"], ["get", "nobody", "maxretry"],
    ["get", "one", "findtime"], ["set", "one", "findtime", "20m"],
    ["get", "one", "bantime"], ["set", "one", "bantime", "2h"],
    ["set", "one", "bantime", "-1"], ["set", "one", "bantime", "1h"],
    ["get", "one", "maxmatches"], ["set", "one", "maxmatches", "9"],
    ["get", "one", "maxlines"], ["set", "one", "maxlines", "2"],
    ["set", "one", "maxlines", "1"],
    ["get", "one", "usedns"], ["set", "one", "usedns", "warn"],
    ["set", "one", "usedns", "no"],
    ["get", "one", "logencoding"], ["set", "one", "logencoding", "latin1"],
    ["get", "one", "ignoreself"], ["set", "one", "ignoreself", "false"],
    ["set", "one", "ignoreself", "true"],
    ["get", "one", "ignorecommand"], ["get", "one", "ignorecache"],
    ["set", "one", "ignorecache", 'key="<ip>", max-count=7, max-time=1m'],
    ["get", "one", "logtimezone"], ["set", "one", "logtimezone", "UTC+0200"],
    ["get", "one", "datepattern"], ["get", "two", "datepattern"],
    ["set", "one", "datepattern", "%Y-%m-%d %H:%M:%S"],
    ["set", "one", "datepattern", "EPOCH"],
    ["get", "one", "prefregex"], ["get", "one", "journalmatch"],
    ["set", "one", "addjournalmatch", "_SYSTEMD_UNIT=x.service"],
    ["get", "one", "bantime.increment"], ["set", "one", "bantime.increment", "true"],
    ["set", "one", "bantime.maxtime", "1d"], ["set", "one", "bantime.rndtime", "5m"],
    ["get", "one", "bantime.maxtime"], ["get", "one", "bantime.factor"],
    ["set", "one", "bantime.factor", "2"], ["set", "one", "bantime.increment", "false"],
    # lists
    ["get", "one", "ignoreip"], ["set", "one", "addignoreip", "192.0.2.128/25"],
    ["set", "one", "delignoreip", "192.0.2.128/25"],
    ["set", "one", "delignoreip", "203.0.113.1"],
    ["get", "one", "logpath"], ["set", "one", "addlogpath", "{more}", "tail"],
    ["set", "one", "dellogpath", "{more}"], ["set", "one", "dellogpath", "/nowhere"],
    ["set", "one", "addlogpath", "{more}", "middle"],
    ["set", "one", "delignoreregex", "0"], ["get", "one", "ignoreregex"],
    ["set", "one", "addignoreregex", "^% nothing %$"],
    ["set", "one", "delignoreregex", "7"], ["set", "one", "delignoreregex", "-1"],
    ["set", "one", "delignoreregex", "x"],
    ["get", "one", "actions"], ["get", "two", "actions"],
    ["get", "one", "action", "note", "actionban"],
    ["get", "one", "action", "note", "colour"], ["get", "one", "action", "note", "smell"],
    ["get", "one", "action", "nothing", "actionban"],
    ["set", "one", "action", "note", "colour", "red"],
    ["get", "one", "action", "note", "colour"],
    ["get", "one", "action", "note", "timeout"],
    ["set", "one", "delaction", "nothing"],
    # bans
    ["get", "one", "banip"], ["set", "one", "banip", A], ["set", "one", "banip", A, B, C],
    ["set", "nobody", "banip", A], ["status", "one"], ["get", "one", "banip"],
    ["get", "one", "banip", ","], ["get", "one", "banip", "--with-time"],
    ["banned"], ["banned", A], ["banned", A, "203.0.113.1"], ["get", "one", "banned"],
    ["get", "one", "banned", A], ["get", "one", "banned", A, "203.0.113.1"],
    ["set", "one", "unbanip", B], ["set", "one", "unbanip", B],
    ["set", "one", "unbanip", "--report-absent", B],
    ["set", "one", "unbanip", "--report-absent", A, B, "203.0.113.1"],
    ["set", "two", "attempt", A, "first", "second"], ["status", "two"],
    ["set", "two", "attempt", A, "3", "4", "5"],
    ["sleep", "2"],  # there, who reached maxretry is banned a little later
    ["status", "two"], ["unban", A], ["unban", "203.0.113.1"], ["set", "one", "banip", A, B],
    ["unban", "198.51.100.0/24"], ["unban", "--all"], ["unban"], ["status", "one", "short"],
    # jails come and go
    ["set", "two", "idle", "on"], ["set", "two", "idle", "off"],
    ["set", "two", "idle", "maybe"], ["start", "one"], ["start", "nobody"],
    ["add", "one"], ["add", "--all"], ["add", "new", "polling"], ["start", "new"],
    ["get", "new", "maxretry"], ["set", "new", "banip", A], ["status", "new"],
    ["stop", "new"], ["status"], ["stop", "nobody"],
    ["reload"], ["status"], ["get", "one", "maxretry"], ["get", "one", "bantime"],
    ["reload", "one"], ["reload", "--unban", "one"], ["reload", "--restart", "--all"],
    ["reload", "--if-exists", "two"], ["restart", "two"], ["status"],
    # mistakes
    ["nonsense"], ["set"], ["set", "one"], ["get"], ["get", "one"],
    ["get", "one", "nonsense"], ["set", "one", "nonsense", "1"], ["set", "loglevel"],
    ["set", "loglevel", "LOUD"], ["set", "one", "maxretry"], ["sleep"], ["sleep", "x"],
]
