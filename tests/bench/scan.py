# SPDX-License-Identifier: GPL-2.0-or-later
"""`bandog scan`: lines a second on one CPU, beside peers, and how that grows with the log."""

import glob
import os
import shutil
import subprocess

import logs
from common import BUILD, FAIL2BAN_CONFIG, ROOT, Timed, time_all
from report import Goal, Table, number

FEW = 300_000  # lines for fail2ban-regex, which takes its time; its start is 5 % of that
WORDS = ("reject:", "SASL", "lost connection", "too many", "improper", "PREGREET")
TWENTY = ("postfix dovecot sshd courier-auth cyrus-imap exim exim-spam sendmail-auth "
          "sendmail-reject apache-auth apache-badbots apache-overflows nginx-http-auth "
          "nginx-botsearch proftpd vsftpd pure-ftpd named-refused recidive "
          "roundcube-auth").split()
PEERS = ("fail2ban-regex", "sshg-parser", "grep, cut, sort, uniq")


def configure(b, name, filters):
    """A jail for each filter, in its aggressive mode where it has one."""
    source = f"{FAIL2BAN_CONFIG}/filter.d"
    if not os.path.isdir(source):
        source = f"{ROOT}/etc/filter.d"
    folder = os.path.join(b.dir, name)
    if not os.path.isdir(folder):
        shutil.copytree(source, f"{folder}/filter.d")
    if filters is None:
        filters = sorted(os.path.basename(path)[:-5] for path in glob.glob(f"{source}/*.conf")
                         if not path.endswith("common.conf"))
    filters = [f for f in filters if os.path.exists(f"{source}/{f}.conf")]
    b.write(f"{name}/jail.conf", "".join(
        f"[{f}]\nenabled = true\nfilter = {f}{_mode(source, f)}\nlogpath = /nowhere\n"
        "maxretry = 5\nusedns = no\n" for f in filters))
    return len(filters)


def _mode(source, name):
    with open(f"{source}/{name}.conf", encoding="utf-8") as f:
        text = f.read()
    return "[mode=aggressive]" if "<mode>" in text and "aggressive" in text else ""


def _ours(b, config, log):
    return f"{BUILD}/bandog scan --config-dir {b.dir}/{config} {log}"


def _grep(log):
    # Not straight to /dev/null: grep would stop at the first match.
    return "grep -cF " + "".join(f"-e '{w}' " for w in WORDS) + f"{log} | cat"


def find_sshg_parser():
    """Debian's, installed or as tools/setup has unpacked it."""
    for folder in ("/usr/libexec/sshguard", f"{BUILD}/peers/usr/libexec/sshguard"):
        if os.access(f"{folder}/sshg-parser", os.X_OK):
            return f"{folder}/sshg-parser"
    return None


def _peers(mail, few):
    found = {"grep, cut, sort, uniq":
             f"grep 'reject:' {mail} | cut -d'[' -f3 | cut -d']' -f1 | sort | uniq -c"}
    sshg = find_sshg_parser()
    if sshg:
        found["sshg-parser"] = f"{sshg} <{mail}"
    if shutil.which("fail2ban-regex"):
        found["fail2ban-regex"] = (f"fail2ban-regex -c {FAIL2BAN_CONFIG} --usedns no "
                                   f"--print-no-missed {few} 'postfix[mode=aggressive]'")
    return found


def _rates(timed, lines):
    wall, cpu = timed.medians()
    return {"lines": lines, "per_second": lines / wall, "per_cpu_second": lines / cpu}


def measure_against_peers(b, count, rounds):
    path = {kind: f"{b.dir}/{kind}.log" for kind in logs.FAILURES}
    for kind, log in path.items():
        logs.generate(log, kind, count)
    few, n_few = f"{b.dir}/few.log", min(FEW, count)
    subprocess.run(f"head -n {n_few} {path['mail']} >{few}", shell=True, check=True)
    commands = {"postfix": _ours(b, "postfix", path["mail"]),
                "20 jails": _ours(b, "twenty", path["mixed"]),
                "all filters": _ours(b, "all", path["mixed"]),
                "nothing matches": _ours(b, "postfix", path["calm"]),
                "nothing matches, grep -cF": _grep(path["calm"]),
                "grep -cF": _grep(path["mail"]),
                **_peers(path["mail"], few)}
    timed = {name: Timed(command) for name, command in commands.items()}
    time_all(timed.values(), rounds)
    return {name: _rates(t, n_few if name == "fail2ban-regex" else count)
            for name, t in timed.items()}


def measure_growth(b, base, rounds):
    """From a tenth of @base to ten times as much, unless --quick."""
    sizes = [base // 10, base] + ([] if b.quick else [base * 10])
    result = {}
    for kind, configs in (("mail", {"postfix": "postfix"}),
                          ("mixed", {"20 jails": "twenty", "all filters": "all"})):
        whole, log = f"{b.dir}/{kind}.log", f"{b.dir}/grown.log"
        for size in sizes:
            if size < base:
                logs.generate(log, kind, size)
            elif size > base:
                logs.grow(whole, log, size // base)
            timed = {name: Timed(_ours(b, config, whole if size == base else log))
                     for name, config in configs.items()}
            time_all(timed.values(), rounds)
            for name, t in timed.items():
                result.setdefault(name, {})[size] = _rates(t, size)
        os.unlink(log)
    return result


def measure(b):
    count = 200_000 if b.quick else 1_000_000
    rounds = 3 if b.quick else 5
    jails = {name: configure(b, name, filters) for name, filters in
             (("postfix", ["postfix"]), ("twenty", TWENTY), ("all", None))}
    return {"lines": count, "rounds": rounds, "jails": jails,
            "rates": measure_against_peers(b, count, rounds),
            "growth": measure_growth(b, count, rounds)}


def _ratio(rates, ours, peer, key="per_second"):
    return rates[ours][key] / rates[peer][key] if peer in rates else None


def goals(r):
    rates = r["rates"]

    def rate(what, name, least):
        x = rates[name]
        return Goal(what, x["per_second"] / 1e6, "M lines/s", least=least,
                    cpu=x["per_cpu_second"] / 1e6)

    def ratio(what, ours, peer, least):
        return Goal(what, _ratio(rates, ours, peer), "x", least=least,
                    cpu=_ratio(rates, ours, peer, "per_cpu_second"))
    least = {"fail2ban-regex": 100, "sshg-parser": 10, "grep, cut, sort, uniq": 1.5}
    return [rate("scan, postfix aggressive", "postfix", 5),
            *(ratio(f"scan, beside {peer}", "postfix", peer, least[peer]) for peer in PEERS),
            rate("scan, 20 jails", "20 jails", 4),
            rate(f"scan, all {r['jails']['all']} filters", "all filters", 3.5),
            ratio("a log where nothing matches, beside grep -cF", "nothing matches",
                  "nothing matches, grep -cF", 1)]


def tables(r):
    rates = r["rates"]
    ours = {"postfix": "scan, postfix aggressive", "20 jails": "scan, 20 jails",
            "all filters": f"scan, all {r['jails']['all']} filters",
            "nothing matches": "scan, nothing matches"}
    peers = {"grep -cF": ("postfix", "grep -cF, six words"),
             **{p: ("postfix", p) for p in reversed(PEERS)},
             "nothing matches, grep -cF": ("nothing matches", "grep -cF, nothing matches")}
    rows = [[words, number(rates[n]["per_second"]), number(rates[n]["per_cpu_second"]), "", ""]
            for n, words in ours.items()]
    rows += [[words, number(rates[n]["per_second"]), number(rates[n]["per_cpu_second"]),
              number(_ratio(rates, our, n)) + " x",
              number(_ratio(rates, our, n, "per_cpu_second")) + " x"]
             for n, (our, words) in peers.items() if n in rates]
    sizes = list(next(iter(r["growth"].values())))
    return [Table(f"scan, one CPU, {r['lines']:,} lines, medians of {r['rounds']}",
                  ["", "lines/s", "by processor time", "bandog is", "by processor time"], rows),
            Table("scan of longer logs, lines/s on one CPU (by processor time)",
                  ["lines", *(f"{size:,}" for size in sizes)],
                  [[name, *(f"{number(x['per_second'])} ({number(x['per_cpu_second'])})"
                            for x in by_size.values())]
                   for name, by_size in r["growth"].items()])]
