#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lengths of bans by bantime.increment, as fail2ban computes them, compared with ours.

usage: formula_oracle.py ESCALATE-MAIN [--cases N] [--seed N] [-v]

Draws factors, formulas, multipliers and caps (fixed seed), lets fail2ban's own Jail and
observer compute the length, and tests/unit/decide's escalate-main too. Where Python
raises an exception fail2ban leaves the ban at bantime; there escalate must say that it
has no length. Exit 77 without fail2ban. Needs nothing from the network.

Explained differences, which are counted apart:
 * a length that is zero, negative, infinite or no number is none here; fail2ban goes on
   with it, and ends the ban at once or fails a step later;
 * what is left over (%) of a number beyond 64 bits is exact in Python, and none here;
 * the root of a negative number is a complex one in Python, and none here, even where
   only its truth is asked for;
 * a factor with ban.Count in a branch that is never taken is refused here;
 * beyond 64 bits whole numbers are doubles here: lengths agree to 9 digits.
"""
import argparse
import logging
import math
import random
import subprocess
import sys

sys.path.insert(0, '/usr/lib/python3/dist-packages')
try:
    from fail2ban.server.jail import Jail
    from fail2ban.server.observer import ObserverThread
except ImportError:
    print('fail2ban is not installed: skipped')
    sys.exit(77)

MAX_SEC = 1e12
STOCK = [
    'ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor',
    'ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)',
]
NAMES = ['ban.Time', 'ban.Count', 'banFactor', 'math.pi', 'math.e', 'True', 'False']
BINARY = ['+', '-', '*', '/', '//', '%']
COMPARE = ['<', '<=', '>', '>=', '==', '!=']
CALLS = [('float', 1), ('int', 1), ('bool', 1), ('abs', 1), ('min', 2), ('max', 3),
         ('round', 1), ('math.floor', 1), ('math.ceil', 1), ('math.trunc', 1),
         ('math.log', 1), ('math.log', 2), ('math.exp', 1), ('math.expm1', 1),
         ('math.sqrt', 1), ('math.pow', 2), ('math.fmod', 2), ('math.log2', 1),
         ('math.log10', 1), ('math.log1p', 1), ('math.fabs', 1), ('math.sin', 1),
         ('math.cos', 1), ('math.tanh', 1), ('math.atan', 1)]


def number(rng):
    kind = rng.randrange(6)
    if kind < 3:
        return str(rng.randrange(12))
    if kind == 3:
        return str(rng.randrange(100000))
    if kind == 4:
        return repr(round(rng.uniform(0, 10), 2))
    return rng.choice(['.5', '2.', '1e3', '1.5e-2', '0', '604800', '00'])


def expression(rng, depth, names):
    kind = rng.randrange(12) if depth else rng.randrange(2)
    sub = lambda: expression(rng, depth - 1, names)
    blank = rng.choice(['', ' ', ' '])
    if kind == 0:
        return number(rng)
    if kind == 1:
        return rng.choice(names)
    if kind < 5:
        return sub() + blank + rng.choice(BINARY) + blank + sub()
    if kind == 5:
        return '(' + sub() + ')'
    if kind == 6:
        return rng.choice(['-', '+', '- ']) + sub()
    if kind == 7:
        name, n = rng.choice(CALLS)
        return name + '(' + ', '.join(sub() for _ in range(n)) + ')'
    if kind == 8:
        return '(' + sub() + ' if ' + sub() + ' else ' + sub() + ')'
    if kind == 9:
        text = '(' + sub()
        for _ in range(rng.randrange(1, 4)):
            text += ' ' + rng.choice(COMPARE) + ' ' + sub()
        return text + ')'
    if kind == 10:
        return '(' + rng.choice(['not ', '']) + sub() + rng.choice(
            [' and ', ' or ']) + rng.choice(['', 'not ']) + sub() + ')'
    if rng.randrange(2):
        return '(' + sub() + ')**' + rng.choice(['2', '3', '0', '-1', '.5', '(ban.Count%9)'])
    return '(' + sub() + ')' + rng.choice(['<<', '>>']) + rng.choice(
        ['1', '3', '40', '(ban.Count%40)', '70'])


def case(rng):
    c = {'bantime': rng.choice([1, 10, 60, 600, 3600, 86400, 604800]),
         'count': rng.choice([1, 2, 3, 4, 5, 7, 10, 19, 20, 21, 40, 700, 1000]),
         'factor': None, 'formula': None, 'multipliers': None, 'maxtime': None,
         'rndtime': None}
    if rng.randrange(3):
        c['factor'] = rng.choice(['1', '2', '.5', '1.33', '2.0 / 2.885385', '0', '1 << 3',
                                  '-1', expression(rng, 2, ['math.pi', 'True'])])
    kind = rng.randrange(10)
    if kind < 2:
        c['multipliers'] = ' '.join(str(rng.randrange(3000))
                                    for _ in range(rng.randrange(1, 12)))
    elif kind < 4:
        c['formula'] = rng.choice(STOCK)
    elif kind < 9:
        c['formula'] = expression(rng, rng.randrange(1, 5), NAMES)
    if rng.randrange(2):
        c['maxtime'] = rng.choice([1, 600, 86400, 2592000])
    if not rng.randrange(4):
        c['rndtime'] = rng.choice([1, 300, 86400])
    return c


def by_fail2ban(c):
    """The length without chance, or the exception's name."""
    jail = Jail.__new__(Jail)
    jail._banExtra = {}
    jail._Jail__db = object()
    try:
        jail.setBanTimeExtra('increment', 'true')
        for name in ('factor', 'formula', 'multipliers', 'maxtime'):
            if c[name] is not None:
                jail.setBanTimeExtra(name, str(c[name]))
        v = ObserverThread.calcBanTime(OBSERVER, jail, c['bantime'], c['count'])
        if isinstance(v, complex):
            return 'complex'
        return v if isinstance(v, int) else float(v)
    except Exception as e:
        return type(e).__name__


OBSERVER = ObserverThread()


def differs(c, want, got):
    """None, 'explained', or what is wrong."""
    kind, *rest = got.split('\t')
    if kind == '=':
        sec = float(rest[0])
        if isinstance(want, str):
            return 'has a length, fail2ban: ' + want
        low, high = float(want), float(want) + (c['rndtime'] or 0)
        slack = abs(low) * 1e-9 + 1e-9
        if low - slack <= sec <= high + slack:
            return None
        return 'fail2ban: %r' % (want,)
    if isinstance(want, str):
        return None
    if not 0 < want <= MAX_SEC - (c['rndtime'] or 0):
        return 'explained'
    text = (c['formula'] or '') + (c['factor'] or '')
    if kind == '?' and rest[0] == '1' and rest[2].endswith('has no value here'):
        return 'explained'
    if kind == '!' and rest[0] == '3' and '**.5' in text:
        return 'explained'
    if kind == '!' and rest[0] == '2' and '%' in text and ('<<' in text or '**' in text):
        return 'explained'
    return 'no length, fail2ban: %r' % (want,)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('program')
    p.add_argument('--cases', type=int, default=20000)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('-v', action='store_true')
    a = p.parse_args()
    logging.disable(logging.CRITICAL)
    rng = random.Random(a.seed)
    cases = [case(rng) for _ in range(a.cases)]
    lines = ''.join('\t'.join(str('' if c[k] is None else c[k]) for k in (
        'bantime', 'count', 'seed', 'factor', 'formula', 'multipliers', 'maxtime',
        'rndtime')) + '\n' for c in cases for c in [dict(c, seed=rng.getrandbits(63))])
    out = subprocess.run([a.program], input=lines, capture_output=True, text=True,
                         check=True).stdout.splitlines()
    n_failed = n_explained = n_lengths = n_refused = 0
    for c, got in zip(cases, out, strict=True):
        want = by_fail2ban(c)
        what = differs(c, want, got)
        n_lengths += got[0] == '='
        n_refused += got[0] == '?'
        if what == 'explained':
            n_explained += 1
        elif what:
            n_failed += 1
            if a.v or n_failed <= 10:
                print(c, got, what, sep='\n    ')
    print('%d lengths, %d not compiled (nor computed by fail2ban), %d explained' % (
        n_lengths, n_refused, n_explained))
    print('%d passed, %d failed' % (len(cases) - n_failed, n_failed))
    return 1 if n_failed else 0


if __name__ == '__main__':
    sys.exit(main())
