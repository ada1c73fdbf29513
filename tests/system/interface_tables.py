#!/usr/bin/env python3
"""Compares include/Kernel and libnke.so with the tables of tests/data/kpi.

usage: interface_tables.py SOURCE LIBRARY

One small C file per header says in code what the rows say of it; the compiler's errors are the rows
that are not so. Functions of the part `kpi` must be exported too, but for the families in ABSENT.
"""
import collections
import csv
import os
import re
import subprocess
import sys
import tempfile

# Declared, so that sources that mention them compile, but not there yet: docs/surface.md names them.
ABSENT = ('sock_', 'sflt_', 'sockopt_', 'ctl_')

COMPILER = os.environ.get('CC', 'gcc')


def table(source, name):
    path = os.path.join(source, 'tests', 'data', 'kpi', name + '.tsv')
    with open(path, encoding='utf-8') as f:
        yield from csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE)


def function_check(row, i):
    result, arguments = re.fullmatch(r'(.*?) \((.*)\)', row['definition']).groups()
    return '%s (*check_%d)(%s) = &%s;' % (result, i, arguments, row['name'])


def struct_check(row, i):
    members = ' '.join('(void)p->%s;' % m for m in row['definition'].split(',') if m)
    return 'void check_%d(struct %s *p) { %s }' % (i, row['name'], members)


def constant_check(row, i):
    return '_Static_assert((%s) == (%s), "");' % (row['name'], row['definition'])


def checks(source):
    """Per header: (what a row says, the line of C that says it)."""
    found = collections.OrderedDict()
    for name, check in (('functions', function_check), ('structs', struct_check),
                        ('constants', constant_check)):
        for row in table(source, name):
            lines = found.setdefault(row['header'], [])
            lines.append(('%s: %s %s' % (row['name'], name[:-1], row['definition']),
                          check(row, len(lines))))
    return found


def refused(source, header, lines):
    """What the compiler says against the lines: [(index, message)]."""
    builtin = subprocess.run([COMPILER, '-print-file-name=include'], capture_output=True, text=True,
                             check=True).stdout.strip()
    with tempfile.NamedTemporaryFile('w', suffix='.c', delete=False) as f:
        f.write('#include <%s>\n#line 1 "ROW"\n%s\n' % (header, '\n'.join(c for _, c in lines)))
    command = [COMPILER, '-std=gnu11', '-fsyntax-only', '-ffreestanding', '-nostdinc', '-w',
               '-isystem', builtin, '-I', os.path.join(source, 'include', 'Kernel'), '-DKERNEL',
               '-Werror=incompatible-pointer-types', '-Werror=implicit-function-declaration',
               '-Werror=int-conversion', f.name]
    errors = subprocess.run(command, capture_output=True, text=True).stderr
    os.unlink(f.name)
    found = [(int(n) - 1, text) for n, text in re.findall(r'^ROW:(\d+):\d+: error: (.*)', errors, re.M)]
    return found or ([(0, errors.splitlines()[0])] if 'error' in errors else [])


def exported(library):
    lines = subprocess.run(['nm', '-D', '--defined-only', library], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return {line.split()[-1].split('@')[0] for line in lines}


def main(source, library):
    bad = rows = 0
    for header, lines in checks(source).items():
        rows += len(lines)
        for i, message in refused(source, header, lines):
            print('<%s> %s\n\t%s' % (header, lines[i][0], message))
            bad += 1
    names = exported(library)
    for row in table(source, 'functions'):
        name = row['name']
        if row['part'] != 'kpi' or name.startswith(ABSENT):
            continue
        if name not in names and 'kern_' + name not in names:
            print('%s does not export %s of <%s>' % (library, name, row['header']))
            bad += 1
    print('%d rows, %d not so' % (rows, bad))
    return 1 if bad or rows == 0 else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else print(__doc__) or 2)
