#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dates as fail2ban finds them, compared with src/match/stamp.

usage: stamp_oracle.py STAMP-MAIN [--lines N] [--seed N] [-v]

Writes log lines (fixed seed), asks fail2ban's own DateDetector and tests/unit/match's
stamp-main about each, in sequences so that both learn, and compares place and time.
Exit 77 without fail2ban. Needs nothing from the network.

Where bandog differs on purpose, fail2ban is told to behave alike before the comparison
(see tame()), or the difference is counted as explained:
 * counters of templates are per detector, so every sequence begins with fresh caches;
 * default template 13 as in fail2ban 1.1 (1.0.2 takes neither '-' nor colons there);
 * %ExY is any year of the century, not only up to a few years ahead;
 * {DEFAULT} adds the defaults (fail2ban's manual says so, its code adds nothing);
 * {NONE} is the last resort (in fail2ban it stays the first choice once it was used);
 * {DATE} within other text includes EPOCH and TAI64N (fail2ban takes the words);
 * an hour that the clock shows twice or not at all: mktime() depends on the call before;
 * a date of the year before, without the year but with a zone: fail2ban sets the day
   back to what the text says after it has shifted the time, a day off;
 * a date that begins with a blank, a sign or '@' does not begin directly behind a word;
 * places are bytes here, characters there: after lines that are not ASCII the two may
   disagree on which of several dates is the nearer.
"""
import argparse
import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, '/usr/lib/python3/dist-packages')
try:
    from fail2ban.server import datedetector, strptime
    from fail2ban.server.mytime import MyTime
except ImportError:
    print('fail2ban is not installed: skipped')
    sys.exit(77)

NOW = 1124013600
ZONES = ['CET-01CEST-02,M3.5.0,M10.5.0', 'Europe/Berlin', 'UTC', 'America/St_Johns',
         'Asia/Kolkata', 'Australia/Lord_Howe', 'America/New_York']
BASE = list(datedetector.DateDetectorCache.DEFAULT_TEMPLATES)
BASE[13] = r'%ExY%Exm%Exd(?:-|T|  ?)%ExH:?%ExM:?%ExS(?:[.,]%f)?(?:\s*%z)?'


def tame():
    datedetector.DateDetectorCache.DEFAULT_TEMPLATES = list(BASE)
    datedetector.DD_patternCache.clear()
    datedetector.DateDetector._defCache = datedetector.DateDetectorCache()
    strptime.timeRE['ExY'] = r'(?P<Y>20\d\d)'


class FakeTime:
    now = NOW

    @classmethod
    def time(cls):
        return cls.now


datedetector.time = FakeTime


def make_detector(pattern, zone):
    tame()
    dd = datedetector.DateDetector()
    dd.default_tz = zone
    for line in (pattern or '').split('\n'):
        line = line.strip()
        if line.upper() == '{DEFAULT}':
            dd.addDefaultTemplate()
        elif line.upper() == '{NONE}' and pattern.upper() != '{NONE}':
            continue
        elif line:
            dd.appendTemplate(line)
    return dd


def byte_at(line, i):
    return len(line[:i].encode())


def ask_fail2ban(dd, line):
    """(start, end, epoch or None), or None for no date."""
    m, template = dd.matchTime(line)
    if not m:
        return None
    start, end = m.start(1), m.end(1)
    if start < 0:
        start = end = 0
    if start == end and 'Y' not in m.groupdict():
        return None
    try:
        t = template.getDate(line, m, default_tz=dd.default_tz)
        t = t[0] if t else None
        if t is not None and not -62135596800 <= t < 253402300800:
            t = None
    except (ValueError, KeyError, TypeError, OverflowError, AttributeError):
        t = None
    return byte_at(line, start), byte_at(line, end), t


def ask_bandog(program, pattern, zone, tz, lines, by_regex):
    args = [program, '-T'] + (['-s'] if by_regex else [])
    if pattern is not None:
        args += ['-p', pattern]
    if zone:
        args += ['-z', zone]
    text = ''.join('%d\t%s\n' % (now, line) for now, line in lines).encode()
    done = subprocess.run(args, input=text, env=dict(os.environ, TZ=tz),
                          stdout=subprocess.PIPE, check=True)
    answers = []
    for row in done.stdout.decode().splitlines():
        if row == '-':
            answers.append(None)
            continue
        start, end, at = row.split()
        answers.append((int(start), int(end), None if at == 'none' else float(at)))
    return answers


# --- lines -------------------------------------------------------------------------------

R = random.Random(20261124)
MON = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
DAY = 'Mon Tue Wed Thu Fri Sat Sun'.split()
ABBR = ['CET', 'PDT', 'EST', 'UTC', 'GMT', 'Z', 'MSK', 'IST', 'A', 'NFT', 'HOVST']


def frac():
    return R.choice(['', '', '', '.5', '.123', '.123456', ',000', '.1234567', '.', ','])


def off():
    return R.choice(['', '', ' +0100', ' -05:00', 'Z', ' Z', ' UTC', '+01', '-1045', ' GMT',
                     '  +0530', '+1', ' -', ' +01:5', ' Zebra'])


def day(t):
    return R.choice(['%02d', '%2d', '%02d', '%2d', '%d']) % t.tm_mday


def hms(t, c=':'):
    return R.choice(['%02d', '%02d', '%02d', '%d', '%2d']) % t.tm_hour + c + '%02d' % (
        t.tm_min) + c + R.choice(['%02d', '%02d', '%02d', '%d']) % t.tm_sec


def asctime(t, year=None):
    y = R.choice(['', '', '', ' %d' % t.tm_year]) if year is None else year
    return R.choice(['', '', DAY[t.tm_wday] + ' ']) + MON[t.tm_mon - 1] + ' ' + day(t) + (
        ' ' + hms(t) + R.choice(['', '', '.02', '.123456']) + y)


FORMATS = [
    lambda t, e: '%d%s%02d%s%s%s' % (
        (t.tm_year,) + R.choice([('-', t.tm_mon, '-'), ('/', t.tm_mon, '/'),
                                 ('.', t.tm_mon, '.'), ('-', t.tm_mon, '/')]) +
        (day(t) + R.choice(['T', ' ', '  ']), hms(t) + frac() + off())),
    lambda t, e: time.strftime('%Y-%m-%dT%H:%M:%S', t) + frac() + off(),
    lambda t, e: time.strftime('%Y-%m-%d %H:%M:%S', t) + frac() + off(),
    lambda t, e: time.strftime('%b %e %H:%M:%S', t),
    lambda t, e: time.strftime('%b %e %H:%M:%S', t),
    lambda t, e: asctime(t),
    lambda t, e: MON[t.tm_mon - 1] + ' ' + day(t) + ' %d ' % t.tm_year + hms(t),
    lambda t, e: day(t) + R.choice(['/%02d/', '-%02d-']) % t.tm_mon + R.choice(
        ['%d' % t.tm_year, '%02d' % (t.tm_year % 100)]) + ' ' + hms(t),
    lambda t, e: '%02d/%s/%d:%s%s' % (t.tm_mday, MON[t.tm_mon - 1], t.tm_year, hms(t), off()),
    lambda t, e: '%02d-%s-%d %s%s%s' % (
        t.tm_mday, MON[t.tm_mon - 1], t.tm_year, hms(t), frac(), off()),
    lambda t, e: time.strftime('%m/%d/%Y:%H:%M:%S', t),
    lambda t, e: time.strftime('%m-%d-%Y %H:%M:%S', t) + frac(),
    lambda t, e: R.choice(['%d', '[%d]', '%d.555', '[%d.123456]', 'audit(%d.555:101)',
                           'audit(%d:9)', '[%d', '%d]']) % e,
    lambda t, e: hms(t),
    lambda t, e: time.strftime('<%m/%d/%y@%H:%M:%S>', t),
    lambda t, e: time.strftime('%y%m%d ', t) + R.choice(['', ' ']) + hms(t),
    lambda t, e: MON[t.tm_mon - 1] + ' ' + day(t) + time.strftime(', %Y ', t) + '%d:%02d:%02d %s' % (
        t.tm_hour % 12 or 12, t.tm_min, t.tm_sec, R.choice(['AM', 'PM', 'am'])),
    lambda t, e: time.strftime('%b-%d-%y %H:%M:%S', t),
    lambda t, e: time.strftime('%Y%m%d', t) + R.choice(['T', ' ', '-', '  ']) + R.choice(
        [time.strftime('%H%M%S', t), time.strftime('%H:%M:%S', t)]) + frac() + off(),
    lambda t, e: R.choice(ABBR) + ' ' + asctime(t),
    lambda t, e: R.choice(['+00:00', '-0530', 'Z', 'UTC', '+01']) + ' ' + asctime(t),
    lambda t, e: '@4%015x%08x' % (e, R.randrange(1 << 30)),
    lambda t, e: '%d%03d%s' % (e, R.randrange(1000), R.choice(['', '123', '.5', '.123456'])),
]

PREFIXES = ['', '', '', '', '', '', '[', '<', ' ', '((', '  ', '   ', '- ', 'host app[1]: ',
            'bogus-prefix ', 'word', 'ü ', '1.2.3.4 - - [', 'server mysqld[1000]: ', 'at ',
            '\x01', 'é', '„', '2', '_', '"', '<34>', 'error ', 'x 12:', '[]', '#.',
            '\u00a0', 'LEVEL=1 date="']
SUFFIXES = ['', ' ', ' host sshd[12]: Failed', ' sshd', '[sshd] error: PAM', ']: x', ': y',
            '.', ',', 'x', '_', 'é', ' é', '\u00a0Z', ' 2005', ' 2005x', ' 20051', '0',
            ' 1.2.3.4', '"', '/', ' -', '-', '+0', '\t', ' 0', ':5', ' zone', ' GET /',
            '\u00b2', ' 2005é', ' UTCx', 'Z', '\x85Z', ' [Warning] Access', ' AM', ' PM x']
POOL = ' :-/.,TZ+[]()<>@0123456789aJn_\téſK\u0661"'


def moment(now):
    e = now + R.choice([0, 0, 0, -1, -60, -3600, 3600, 80000, 86400, 90000, -86400,
                        -200 * 86400, 300 * 86400, R.randrange(-300000000, 100000000)])
    return time.localtime(e), e


def date(now, n=None):
    t, e = moment(now)
    return (FORMATS[n] if n is not None else R.choice(FORMATS))(t, e)


def mutate(s):
    for _ in range(R.choice([1, 1, 1, 2, 3])):
        i = R.randrange(len(s) + 1)
        kind = R.randrange(4)
        if kind == 0:
            s = s[:i] + R.choice(POOL) + s[i:]
        elif kind == 1:
            s = s[:i] + s[i + 1:]
        elif kind == 2:
            s = s[:i] + R.choice(POOL) + s[i + 1:]
        else:
            s = s[:i] + s[i:i + 1].swapcase() + s[i + 1:]
    return s


def one_off(now):
    line = R.choice(PREFIXES) + date(now) + R.choice(SUFFIXES)
    if R.random() < 0.3:
        line = mutate(line)
    if R.random() < 0.2:
        line += ' text ' + date(now) + R.choice(SUFFIXES)
    return line


def sequence(n):
    """Lines of a log with a few formats, among them strangers' dates."""
    now = R.choice([NOW, NOW, 1795420764, 1735686010, 1767222000, 1709200000, 1772500000])
    kinds = [(R.choice(PREFIXES), R.randrange(len(FORMATS)), R.choice(SUFFIXES))
             for _ in range(R.choice([1, 1, 2, 3]))]
    lines = []
    kind = R.choice(kinds)
    last = None
    for _ in range(n):
        now += R.choice([0, 0, 0, 0, 1, 5, 59, 61, 250, 301, 4000])
        if R.random() < 0.2:
            kind = R.choice(kinds)
        how = R.random()
        if how < 0.15 and last:
            line = last
        elif how < 0.65:
            line = kind[0] + date(now, kind[1]) + kind[2]
        elif how < 0.8:
            line = kind[0] + date(now, kind[1]) + kind[2] + ' foreign ' + date(now) + ' x'
        elif how < 0.9:
            line = R.choice(['some free text ', '']) + date(now) + ' -- ' + date(now)
        elif how < 0.95:
            line = R.choice(['no date', '', 'x' * 70, '1234', 'é' * 9])
        else:
            line = one_off(now)
        line = line.replace('\n', ' ')
        lines.append((now, line))
        last = line
    return lines


PATTERNS = [
    '%Y-%m-%d[T ]%H:%M:%S(?:\\.%f)?%z', '^%ExY-%Exm-%Exd %H:%M:%S(?: ?%Exz)?',
    '{^LN-BEG}%ExY-%Exm-%Exd %ExH:%ExM:%ExS', '{^LN-BEG}', '{DATE}', '^{DATE}',
    '{^LN-BEG}{DATE}', '{UNB}%Y%m%d', '**%Y-%m-%d**', '(?iu)**date=%b %d %H:%M:%S**',
    '^(?:%a )?%b %d %k:%M:%S(?: %Y)?', '%b %d, %Y %l:%M:%S %p', 'EPOCH', 'LEPOCH', '^EPOCH',
    '{^LN-BEG}LEPOCH', 'TAI64N', '{^LN-BEG}TAI64N', 'tai64n', '\\[{LEPOCH}\\]',
    'audit\\({EPOCH}:', '{DEFAULT}', '{DEFAULT}\n{NONE}', '{NONE}', '%d/%b/%Y:%H:%M:%S %z',
    '^\\[%d/%b/%Y:%H:%M:%S( %z)?\\]', 'Apr-%d-%y %H:%M:%S\n%b %d %H:%M:%S',
    '%H:%M:%S', '^%H:%M', '%j %H:%M:%S', '%Y %U %a', '%d %H:%M:%S', '%c', '%x %X', '%B %d',
    '%A %H:%M:%S', '%ExZ %b %d %H:%M:%S', '%I:%M:%S', '%Y%m%d%H%M%S',
    '{^LN-BEG}%ExY(?P<_sep>[-/.])%m(?P=_sep)%d[T ]%H:%M:%S$', '%b %d %H:%M:%S$',
    '%m\\s+%d\\b', '(?P<Y>\\d{4})-(?P<m>\\d\\d)-(?P<d>\\d\\d)', '%%%Y', 'foo', '(%Y)-%m-%d',
    '(?:%Y-%m|%b) %d %H:%M:%S', '(%Y-)?%m-%d %H:%M', '%y%m%d %H:%M:%S\n%Y-%m-%d %H:%M:%S\n'
    '{^LN-BEG}%b %d %H:%M:%S', '%d-%m-%Y %H:%M:%S\n{DEFAULT}', '\n\n', '%w %H:%M', '%W %w %Y',
    'x?%ExY-%m-%dT%H:%M:%S(?:[.,]%f)?', '%ExY-%m-%d %Exk:%M', '%Exl:%M:%S %p',
]

FIXED = [  # pattern, lines made for it
    ('\\|\\| {LEPOCH} \\|\\|', ['x || 1138049999123 || y', '|| 1138049999 ||',
                               '|| 1138049999123456 ||', '|| 1138049999123.5 ||']),
    ('%j %H:%M:%S', ['036 12:00:00', '366 01:02:03', '1 1:1:1']),
    ('%Y %j', ['2004 366', '2005 366', '2005 001']),
    ('%Y %U %a', ['2005 0 Mon', '2005 53 Sun', '2005 33 Sat', '2006 01 mon', '2004 00 thu']),
    ('%Y %W %w', ['2005 0 1', '2005 53 0', '2005 33 6', '2006 01 0', '2004 00 4']),
    ('%B %d', ['August 14', 'may 01', 'MAY 1', 'September 30']),
    ('%c', ['Sun Aug 14 12:00:00 2005', 'Sun  Aug  4  1:2:3  2005']),
    ('%x %X', ['08/14/05 12:00:00', '8/4/99 2:3:4', '08/14/00 12:00:61']),
    ('%I:%M:%S', ['12:00:00', '01:02:03']), ('%Exl:%M:%S %p', ['12:00:00 AM', '9:1:2 pm']),
    ('%ExZ %b %d %H:%M:%S', ['PDT Aug 14 01:02:03', 'Z Aug 14 1:2:3', 'XYZ Aug 1 1:2:3']),
    ('%d %H:%M:%S', ['14 12:00:00']), ('%A %H:%M:%S', ['Sunday 12:00:00', 'monday 23:59:59']),
    ('%%%Y', ['%2005', 'x%2004', '2005']), ('foo', ['a foo b', 'foo', 'afoo']),
    ('%Y%m%d%H%M%S', ['20050814120000', 'x20050814120000', '20050814 120000']),
    ('{UNB}%Y%m%d', ['x20050814y', '20050814']), ('**%Y-%m-%d**', ['x2005-08-14y']),
    ('(?iu)**date=%b %d %H:%M:%S**', ['xDATE=Aug 14 12:00:00y', 'date=aug 1 1:1:1']),
    ('^\\[%d/%b/%Y:%H:%M:%S( %z)?\\]', ['[14/Aug/2005:12:00:00 +0200]',
                                       '[14/Aug/2005:12:00:00]']),
]


# --- comparison --------------------------------------------------------------------------

def near_change(t):
    return time.localtime(t - 90000).tm_gmtoff != time.localtime(t + 90000).tm_gmtoff


def explain(want, got, line, pattern):
    if any(c.isdigit() and not c.isascii() for c in line):
        return 'digits beyond ASCII'
    if want and got and want[2] is not None and got[2] is not None:
        if want[:2] == got[:2] and abs(want[2] - got[2]) <= 7200 and near_change(want[2]):
            return 'hour shown twice or skipped'
        if want[:2] == got[:2] and abs(abs(want[2] - got[2]) - 86400) < 2:
            return 'the year before, with a zone'
    if want and re.match('[0-9A-Za-z_][ +@-]', line[max(want[0] - 1, 0):]):
        return 'a date does not begin directly behind a word'
    if '{DATE}' in (pattern or '') and pattern != '{DATE}' and got and not want:
        return '{DATE} includes EPOCH and TAI64N'
    return None


class Score:
    passed = failed = 0
    explained = {}


def same(want, got):
    if want is None or got is None:
        return want is got
    if want[:2] != got[:2] or (want[2] is None) != (got[2] is None):
        return False
    return want[2] is None or abs(want[2] - got[2]) < 0.000002


def compare(program, pattern, zone, tz, lines, verbose):
    os.environ['TZ'] = tz
    time.tzset()
    dd = make_detector(pattern, zone)
    wants = []
    for now, line in lines:
        FakeTime.now = now
        MyTime.setTime(now)
        wants.append(ask_fail2ban(dd, line))
    for by_regex in (False, True):
        gots = ask_bandog(program, pattern, zone, tz, lines, by_regex)
        if len(gots) != len(lines):
            Score.failed += 1
            print('answers: %d of %d' % (len(gots), len(lines)))
            continue
        for i, ((now, line), want, got) in enumerate(zip(lines, wants, gots)):
            if same(want, got):
                Score.passed += 1
                continue
            why = explain(want, got, line, pattern)
            if not why and i > 0 and any(not text.isascii() for _, text in lines[:i + 1]):
                why = 'distances in bytes'
            if why:
                Score.explained[why] = Score.explained.get(why, 0) + 1
                if verbose:
                    print('explained (%s): %r want %s got %s' % (why, line, want, got))
                if want is None or got is None or want[:2] != got[:2]:
                    break  # from here on the two have learnt different things
                continue
            Score.failed += 1
            print('not ok: pattern %r zone %r tz %r now %d regex %r\n  line %r\n'
                  '  want %s\n  got  %s' % (pattern, zone, tz, now, by_regex, line, want, got))
            break


def main():
    p = argparse.ArgumentParser()
    p.add_argument('program')
    p.add_argument('--lines', type=int, default=6000)
    p.add_argument('--seed', type=int)
    p.add_argument('-v', action='store_true')
    a = p.parse_args()
    if a.seed is not None:
        R.seed(a.seed)
    for pattern, lines in FIXED:
        compare(a.program, pattern, None, ZONES[0], [(NOW, line) for line in lines], a.v)
    n = 0
    while n < a.lines:
        tz = R.choice(ZONES)
        os.environ['TZ'] = tz
        time.tzset()
        zone = R.choice([None, None, None, 'UTC', 'CET+0100', '-0430', 'EST'])
        pattern = None if R.random() < 0.6 else R.choice(PATTERNS)
        count = R.choice([1, 1, 5, 20, 60])
        lines = sequence(count) if count > 1 else [(NOW, one_off(NOW))]
        if '{NONE}' in (pattern or ''):  # fail2ban fails on an empty match in an empty line
            lines = [(now, line or ' ') for now, line in lines]
        n += len(lines)
        compare(a.program, pattern, zone, tz, lines, a.v)
    for why, count in sorted(Score.explained.items()):
        print('# explained: %s: %d' % (why, count))
    print('%d passed, %d failed' % (Score.passed, Score.failed))
    return 1 if Score.failed else 0


if __name__ == '__main__':
    sys.exit(main())
