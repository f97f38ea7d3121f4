#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile values in commands of every shape, run under dash and bash.

usage: shell_injection.py SHELL-MAIN [SECONDS [SEED]]

Scripts are made from a grammar of nested contexts, with foreign tags at random places. Each
is run in an empty folder with the value `x` and with hostile ones. Whatever the value: no
program that it names is started, no file appears, and the programs that the script calls
are called as often, with as many arguments, of which as many look like options.
Last line: `N passed, N failed`.
"""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

TAGS = ("<F-USER>", "<F-USER>", "<matches>")
VALUES = [
    "$(canary)", "`canary`", "x;canary", "x\ncanary\n", "\ncanary", "* *", "-e canary", "--x",
    "-v", "w newfile", "wnewfile", "1wnewfile", "1ecanary", "ecanary", "/e\ncanary",
    "b/w newfile", "b:w newfile", "b_w newfile", "b_wnewfile", "b.wnewfile", "b-wnewfile",
    "b,wnewfile", "b@wnewfile", "b|wnewfile", "b#wnewfile", "s/b/canary/e", "a[$(canary)]",
    "x[`canary`]", "\\012~!canary", "\\n~!canary", "\n~!canary", "~!canary", ".", "\\", "'",
    "\"", "')canary('", "'\"$(canary)\"'", "}canary", "};canary;{", "x))canary((", "x);canary",
    "x) canary;; y", "EOF\ncanary\n", "\nEOF\ncanary\n", "|canary", "||canary", "&canary",
    "&&canary", "%s%n", "%n", "012~!x", "12~!x", "exit", "getline", "3", "08", "a b c", "~", ">newfile",
    "x>newfile", "3>newfile", "canary", "/canary", "PATH", "PATH=.", "", "!", "_", "_canary",
    "@/etc/passwd", "x@/etc/passwd", "x;headers=@/etc/passwd", "\x01\x1b[2J\x7f", "é\u009b",
    "${IFS}", "$IFS", "system(\"canary\")", "\";system(\"canary\");\"", "@{[`canary`]}",
    "x#", "#", "a=b", "*", "[a-z]*", "{a,b}", "\t", " ", "f2bV_F_USER", "END__",
]

INERT = re.compile(r"[_Z]\w+|^\d+$")

# Programs that tell how they were called: number of arguments, and which could be options.
# A mail program also tells lines that it might take for orders.
TELL = """#!/bin/dash
line="${{0##*/}} $#"
for a; do case $a in [-@+]*) line="$line ${{a%%"${{a#?}}"}}";; esac; done
case ${{0##*/}} in
curl) for a; do
    case $p$a in --data-urlencode*=*) ;; --data-urlencode*@*) line="$line FILE";; esac
    p=$a
    done;;
mail|sendmail) while IFS= read -r l; do case $l in [~.]*) line="$line ORDER";; esac; done;;
myprog|logger) cat > /dev/null;;
esac
echo "$line" >> {0}/told
"""
# As the real ones do: what stands behind the host is text for a shell.
SSH = """#!/bin/dash
shift
exec /bin/sh -c "$*"
"""
SUDO = """#!/bin/dash
exec "$@"
"""
CANARY = """#!/bin/dash
echo FIRED >> {0}/told
"""
TELLERS = ("rec", "mail", "sendmail", "curl", "logger", "whois", "myprog")


class Grammar:
    """@is_tame: only shapes of which some are understood, so that these are seen often."""

    def __init__(self, rng, is_tame):
        self.rng = rng
        self.is_tame = is_tame

    def tag(self):
        return self.rng.choice(TAGS)

    def word(self, depth):
        """Text that is one argument when the value is `x`."""
        t = self.tag()
        plain = [t, f'"{t}"', f"'{t}'", f'"a {t} b"', f"a{t}", f"{t}b", f'"$x{t}"', "lit",
                 f'"--name={t}"', f"--name={t}", f'"a={t}"', f"'a'{t}\"b\"", f'"\n{t}"',
                 f"\"a '{t}'\"", f'"\\"{t}\\""', f"a\\ {t}", f'"$x"']
        odd = [f'"${{V:-"{t}"}}"', f"${{V:-{t}}}", f'"${{V:-"}}"}}{t}"', f"$(({t}+1))",
               f'"$((1+{t}))"', f"${{#V}}{t}", f"${{V:0:{t}}}", f"$'{t}'", f"*{t}", f"{{{t}}}",
               f'"`printf %s \\"{t}\\"`"', f"$[{t}]", f"\\{t}", f"~{t}", f'$"{t}"',
               f"${{x%{t}}}", f'"${{x#"{t}"}}"', f"a#{t}", f'"$(( {t} ))"']
        if depth > 0 and self.rng.random() < 0.35:
            c = self.output(depth - 1)
            return self.rng.choice([f'"$({c})"', f'"`{c}`"', f"$({c})", f"`{c}`", f'"a$({c})b"',
                                    f'"$( {c}; )"'])
        return self.rng.choice(odd if not self.is_tame and self.rng.random() < 0.4 else plain)

    def output(self, depth):
        w = self.word(depth)
        return self.rng.choice([
            f"printf %s {w}", f"printf %b {w}", f"echo {w}", f"printf '%s|' {w} {w}",
            f"printf -- %s {w}", f"echo {w} | cat", f"printf '%.5s' {w}",
            f"(echo {w})", f"if :; then echo {w}; fi"] + ([] if self.is_tame else [
            f"printf {w}", f"echo {w} | cut -c1-3", f"case x in x) echo {w};; esac",
            f"cat <<E\n{w}\nE\n"]))

    def simple(self, depth):
        t, r = self.tag(), self.rng
        w, v = self.word(depth), self.word(depth)
        tame = [
            f"rec {w} {v}", f"myprog {w}", f"myprog -x {t} --user=\"{t}\"", f"rec {t}",
            f"printf '%s\\n' {w} {v} | cat > out", f"printf %b {w} | mail -s s root",
            f"printf %b \"Subject: s\\n\\n{t}\\n.\" | sendmail -f a b",
            f"echo {w} | sendmail -f a b", f"mail -s {w} root < /dev/null",
            f"printf '%s %n' {w} {v} > out", f"printf '%*d' {w} {v} > out",
            f"curl -sS -d {w} http://h/", f"curl --data-urlencode {w} h", f"curl -F {w} h",
            f"lgm=$(printf '%.9s\\n...' {w}); curl -sSf h --data-urlencode \"c=$lgm\"",
            f"logger -t a {w}", f"logger {w}", f"[ -n {w} ]", f"test {w} = {v}", f"[ {w} ]",
            f"x={w}; rec \"$x\"", f"x={w}; echo \"$x\" > out", f"x={w}", f"rec {w}; echo {v}",
            f"y=\"$(printf %s {w})\"; myprog \"$y\"", f"y={w}; printf %b \"a$y\" | mail -s s r",
            f"y={w}; curl -d \"$y\" h",
            f"y={w}; curl -d $y h", f"logger -t a $(echo {w})", f"curl --data-urlencode \"a{t}\" h",
            f"y={w}; logger \"$y\"", f"y=$(echo {w}); echo \"$y\"",
            f"y=`printf %s {t}`; [ \"$y\" = {v} ]", f"echo \"`printf %b {w}`\" >> out",
            f"echo a; (echo {w}) 2>&1", f"echo {w} >> out", f"echo {w} | tail -n 1 | cat >out",
            f"printf %b \"a\n`echo b`\n{t}\" {w} | mail -s \"a {t}\" r", f"echo a # {t}\necho b",
            f"printf %b 'a\\0{t}' | mail -s s r", f"printf %b \"a\\\\{t}\" | mail -s s r",
            f"printf %s {w} | tee out | cat > /dev/null", f"echo {w} | cut -c2- | mail -s s r",
            f"echo {w} > out; cut -c2- out | mail -s s r", f"echo {w} | grep -F x",
            f"echo {t} | {{ y=$(cat); rec \"$y\"; }}", f"echo {w} | mail -s \"$(cat)\" r",
            f"echo {w}; rec \"$_\"", f"echo {w} > out; y=$(< out); rec \"$y\"",
            f"curl -d {t}@{t} u", f"logger {t}-{t}", f"echo {w}; rec <failures>>out {t}",
            f"echo \"$(printf %s '\\\\' {t})\" | mail -s s r",
            f"oifs=${{IFS}}; IFS=,; a=$(echo a,b); rec $a {w}; IFS=${{oifs}}", f"whois {w}",
        ]
        if self.is_tame:
            return r.choice(tame)
        d = r.choice("/:_.-,@|#%!~+=")
        return r.choice(tame + [
            f"eval \"rec {t}\"", f"eval rec {w}", f"eval \"{t}\"", f"eval '{t}'", f"eval {w}",
            f"eval \"rec a;{t}\"", f"eval \"{t}=1\"; rec a", f"eval \"rec \\${t}\"",
            f"eval \"rec a {t}>>out\"", f"sh -c \"rec {t}\"", f"bash -c 'rec {t}'",
            f"bash -c \"(({t})); [[ {t} -gt 1 ]]; rec {t}\"", f"\"$SHELL\" -c \"rec {t}\"",
            f"sh -c 'rec \"$1\"' _ {w}", f"sh -c {w}", f"echo \"rec {t}\" | sh>/dev/null",
            f"echo rec {w} |sh", f"sh<<EOF\nrec {t}\nEOF\n", f"sh <<'EOF'\nrec {t}\nEOF\n",
            f"cat <<EOF > /dev/null\n{t} $(rec {t}) `rec {t}` $(({t}))\nEOF\n",
            f"cat <<-EOF\n\t{w} $(rec {w})\n\tEOF\n", f"echo {w} | bash",
            f"(({t}))", f"[[ {t} -gt 1 ]]", f"[[ x == {t} ]]", f"[[ x =~ {t} ]]",
            f"let \"x={t}\"", f"case {w} in *) rec a;; esac", f"case x in {t}) :;; *) :;; esac",
            f"rec \"$(case x in x) printf %s {w};; esac)\"", f"a[{t}]=1", f"declare \"y={t}\"",
            f"awk 'BEGIN {{ print \"{t}\" }}'", f"awk \"BEGIN {{ print \\\"{t}\\\" }}\"",
            f"awk \"BEGIN {{ {t} }}\" | cat", f"awk -v v={w} 'BEGIN {{ print v }}'", f"awk {w}",
            f"echo b | sed \"s{d}b{d}{t}{d}\"", f"echo b | sed 's{d}b{d}{t}{d}'",
            f"echo b | sed s{d}{t}{d}c{d}", f"echo b | sed -e {w}", f"echo b | sed \"1{t}\"",
            f"echo b | sed -n '/{t}/p'", f"echo b | sed \"y{d}b{d}{t}{d}\"",
            f"echo b | sed \"\\{d}{t}{d}d\"", f"perl -e 'print \"{t}\"'", f"perl -e {w}",
            f"echo {w} | xargs rec", f"echo {t} | xargs -I{{}} sh -c 'rec {{}}'",
            f"ssh h \"rec {t}\"", f"ssh h rec {w}", f"ssh h {w}", f"env {w} rec a",
            f"sudo {w}", f"nohup {w} 2>&1", f"find . -maxdepth 0 -exec {w} ';'",
            f"for i in {w}; do rec $i; done", f"for i in {t} b; do rec \"$i\"; done",
            f"x={w}; rec $x", f"SECONDS={w}", f"RANDOM={t}", f"PATH={w}", f"IFS=_; y={t}; rec $y",
            f"IFS=.; rec {t}",
            f"set -- {w} b; rec \"$@\"; rec $1", f"f() {{ rec $1; }}; f {w}", f"trap {w} EXIT",
            f"rec a # {t}\nrec b", f"{w} a", f"echo {w} > {w}",
            f"cat < {w}", f"read y < {t}",
            f"printf {t} a", f"echo a; (rec {w}) 2>&1", f"busybox {w}", f"exec 3>out; rec {w}",
            f"alias rec={w}; rec a", f"export y={t}; sh -c 'rec $y'",
        ])

    def command(self, depth):
        r = self.rng
        if depth <= 0 or r.random() < 0.5:
            return self.simple(depth)
        a, b = self.command(depth - 1), self.command(depth - 1)
        # Bodies are the same: what a test says may depend on the value.
        return r.choice([
            f"{a}\n{b}", f"{a}; {b}", f"( {a}\n)", f"{{ {a}\n}}", f"({a}\n) | {self.sink()}",
            f"if {a}\nthen {b}\nelse {b}\nfi", f"! {a}", f"{a} || :", f"{a} &&:",
            f"if [ -n \"$x\" ]; then {a}\nfi", f"{a} 2>/dev/null", f"{a} > out 2>&1",
            f"{{ {a}\n}} | {self.sink()}"] + ([] if self.is_tame else [
                f"f() {{ {a}\n}}; f", f"while {a}\ndo break; done"]))

    def sink(self):
        tame = ["cat", "mail -s s root", "sendmail -f a b", "cat >out", "tail -n 5 | cat",
                "logger -t a"]
        wild = ["sh", "bash >/dev/null", "myprog"]
        return self.rng.choice(tame if self.is_tame else tame + wild)


class Maker:
    """A command, and what our code makes of it."""

    def __init__(self, program):
        self.child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def string(self):
        out = bytearray()
        while (c := self.child.stdout.read(1)) != b"\0":
            if not c:
                raise EOFError("shell-main ended")
            out += c
        return bytes(out)

    def make(self, command, value):
        self.child.stdin.write(b"\0".join((command.encode(), value.encode(), value.encode(), b"")))
        self.child.stdin.flush()
        form, _, _, script, env = [self.string() for _ in range(5)]
        return form.decode(), script, [e for e in env.split(b"\x1f") if e]

    def close(self):
        self.child.stdin.close()
        self.child.wait()


class Place:
    """A folder with the programs that tell, and an empty one to run in."""

    def __init__(self, root):
        self.root = root
        self.cwd = root + "/cwd"
        self.told = root + "/told"
        os.mkdir(root + "/bin")
        for name in TELLERS:
            self.program(name, TELL)
        for name, text in (("ssh", SSH), ("sudo", SUDO), ("canary", CANARY)):
            self.program(name, text)

    def program(self, name, text):
        path = f"{self.root}/bin/{name}"
        with open(path, "w", encoding="ascii") as f:
            f.write(text.format(self.root))
        os.chmod(path, 0o755)

    def run(self, shell, script, env):
        """What the programs told, and what files are there."""
        shutil.rmtree(self.cwd, ignore_errors=True)
        os.mkdir(self.cwd)
        with open(self.told, "wb"):
            pass
        full = {b"PATH": (self.root + "/bin:/usr/bin:/bin").encode(), b"LANG": b"C.UTF-8",
                b"SHELL": shell.encode(), b"HOME": self.root.encode()}
        full.update(e.split(b"=", 1) for e in env)
        child = subprocess.Popen([shell, "-c", script], cwd=self.cwd, env=full,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return ["too late"], []
        with open(self.told, encoding="utf-8", errors="replace") as f:
            told = f.read().splitlines()
        # Where the script itself says "> <F-USER>" the file is named by an inert value.
        return sorted(told), sorted(INERT.sub("V", name) for name in os.listdir(self.cwd))


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = 0
        self.forms = {"whole": 0, "word": 0, "inert": 0}

    def add(self, ok, form, text):
        with self.lock:
            self.forms[form] += 1
            self.passed += ok
            self.failed += not ok
            if not ok and self.failed < 8:
                print(text, flush=True)


def check(place, maker, rng, shells, tally):
    command = Grammar(rng, rng.random() < 0.5).command(rng.choice((0, 1, 1, 2, 3)))
    form, script, env = maker.make(command, "x")
    values = rng.sample(VALUES, 4)
    for shell in shells:
        want = place.run(shell, script, env)
        if "FIRED" in want[0] or want[0] == ["too late"]:
            continue
        for value in values:
            form, text, env2 = maker.make(command, value)
            got = place.run(shell, text, env2)
            for _ in range(2):
                # A pipe whose reader ends early is a race. What was started is none.
                if got == want or "FIRED" in got[0]:
                    break
                want = place.run(shell, script, env)
                got = place.run(shell, text, env2)
            tally.add(got == want, form,
                      f"--- {shell}, {form}, value {value!r}:\n{command}\n-- becomes\n"
                      f"{text.decode()}\n{env2}\nwith x: {want}\nnow:    {got}")


def work(program, root, rng, until, shells, tally):
    place, maker = Place(root), Maker(program)
    try:
        while time.monotonic() < until:
            check(place, maker, rng, shells, tally)
    except (OSError, ValueError, EOFError) as reason:
        tally.add(False, "inert", f"stopped by {reason!r}")
    maker.close()


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 25
    seed = sys.argv[3] if len(sys.argv) > 3 else "1"
    shells = [s for s in ("/bin/dash", "/bin/bash") if os.path.exists(s)] or ["/bin/sh"]
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="bandog-shell-") as folder:
        threads = []
        for n in range(2):
            os.mkdir(f"{folder}/{n}")
            args = (os.path.abspath(sys.argv[1]), f"{folder}/{n}", random.Random(f"{seed}.{n}"),
                    time.monotonic() + seconds, shells, tally)
            threads.append(threading.Thread(target=work, args=args))
            threads[-1].start()
        for thread in threads:
            thread.join()
    print(f"seed {seed}, under {' '.join(shells)}, forms {tally.forms}")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
