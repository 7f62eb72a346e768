#!/usr/bin/env python3
"""Which lines of the library do its tests reach?  `make coverage` runs the tests and then this.

Reads gcov's counters below build/tests-cov, writes figures/data/coverage.csv (room,
lines, covered, percent) and build/tests-cov/uncovered.txt.  Fails when fewer than 95 of
a hundred lines are reached, when a line that is not has no argument in
tests/coverage-argued.txt, and when a line that is argued there is reached, or gone.  There
a "#" line is an argument, and the lines under it, "room.c: text of the line", are what it
is about; a text that stands in a room twice and is not reached twice is named twice.  A "?"
before a line: it hangs on a race, and may be reached or not.  The
arguments, each with its number of lines, go to figures/data/coverage-argued.csv.
"""
import collections, glob, json, os, subprocess, sys, time

FOLDER, CSV, ARGUED = 'build/tests-cov', 'figures/data/coverage.csv', 'tests/coverage-argued.txt'
ARGUED_CSV = 'figures/data/coverage-argued.csv'
LEAST = 95.0


def counts():
    """{(room, line): how often}, over all objects that any test was made of."""
    found = collections.Counter()
    for data in glob.glob(FOLDER + '/**/*.gcda', recursive=True):
        text = subprocess.run(['gcov', '--json-format', '--stdout', data], check=True,
                              capture_output=True).stdout
        for file in json.loads(text)['files']:
            folder, name = os.path.split(file['file'])
            if os.path.basename(folder) != 'tangled':
                continue
            for line in file['lines']:
                found[name, line['line_number']] += line['count']
    return found


def argued():
    """The arguments, each with the lines below it: [(argument, [line])]."""
    found, fresh = [], True
    for line in open(ARGUED):
        words = ' '.join(line.split())
        if words.startswith('#'):
            if fresh:
                found.append((words.lstrip('# '), []))
            else:
                found[-1] = (found[-1][0] + ' ' + words.lstrip('# '), [])
            fresh = False
        elif words:
            if not found:
                sys.exit(ARGUED + ': a line without an argument above it')
            if ',' in found[-1][0]:
                sys.exit(ARGUED + ': no commas in an argument, it goes into a CSV file: ' + found[-1][0])
            found[-1][1].append(words)
            fresh = True
    return found


def main():
    found = counts()
    if not found:
        sys.exit('coverage: no counters below ' + FOLDER)
    arguments, unargued, rows, missed = argued(), [], [], []
    known = collections.Counter(line.lstrip('? ') for _, lines in arguments for line in lines)
    racy = {line.lstrip('? ') for _, lines in arguments for line in lines if line[0] == '?'}
    for room in sorted({name for name, _ in found}):
        text = open('tangled/' + room).read().split('\n')
        lines = sorted(n for name, n in found if name == room)
        bad = [n for n in lines if found[room, n] == 0]
        rows.append((room, len(lines), len(lines) - len(bad)))
        for n in bad:
            key = room + ': ' + ' '.join(text[n - 1].split())
            missed.append(key)
            known[key] -= 1
            if known[key] < 0:
                unargued.append('tangled/%s:%d: %s' % (room, n, text[n - 1].strip()))
    rows.append(('all', sum(r[1] for r in rows), sum(r[2] for r in rows)))
    with open(FOLDER + '/uncovered.txt', 'w') as out:
        out.write('\n'.join(missed) + '\n')
    compiler = subprocess.run(['cc', '--version'], capture_output=True, text=True).stdout.split('\n')[0]
    with open(CSV, 'w') as out:
        out.write('room,lines,covered,percent\n# %s, %s, %s, make coverage\n'
                  % (os.uname().machine, compiler, time.strftime('%Y-%m-%d')))
        for room, lines, covered in rows:
            out.write('%s,%d,%d,%.1f\n' % (room, lines, covered, 100 * covered / lines))
    with open(ARGUED_CSV, 'w') as out:
        out.write('lines,why\n# make coverage; the arguments of %s\n' % ARGUED)
        for why, lines in arguments:
            out.write('%d,%s\n' % (len(lines), why))
    stale = [line for line, n in known.items() if n > 0 and line not in racy]
    share = 100 * rows[-1][2] / rows[-1][1]
    for line in unargued:
        print('not reached, and no argument why:', line)
    for line in stale:
        print('argued in %s, but reached or gone: %s' % (ARGUED, line))
    print('coverage: %.1f %% of %d lines; %d not reached, %d of them without an argument'
          % (share, rows[-1][1], len(missed), len(unargued)))
    sys.exit(share < LEAST or bool(unargued) or bool(stale))


main()
