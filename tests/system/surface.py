#!/usr/bin/env python3
"""Lists what include/Kernel declares and the library has, as docs/surface.md shows it.

usage: surface.py LIBRARY SOURCE [--write]

Prints the generated part of docs/surface.md, or with --write puts it there.
"""
import os
import re
import subprocess
import sys

# The kernel programming interface proper: what a network kernel extension is written against.
NETWORK = [
    ('sys/kpi_mbuf.h', 'packets'),
    ('net/kpi_interface.h', 'interfaces'),
    ('net/kpi_interfacefilter.h', 'interface filters'),
    ('net/kpi_protocol.h', 'protocols on interfaces'),
    ('netinet/kpi_ipfilter.h', 'IP filters'),
    ('net/bpf.h', 'packet taps'),
    ('sys/kern_event.h', 'kernel events'),
    ('sys/kern_control.h', 'kernel controls'),
    ('sys/kpi_socket.h', 'sockets in the kernel'),
    ('sys/kpi_socketfilter.h', 'socket filters'),
]


def declared(path):
    """(name, symbol) of every function that a header declares and does not define."""
    text = open(path, encoding='utf-8').read()
    text = re.sub(r'/\*.*?\*/', ' ', text, flags=re.S)
    text = re.sub(r'^[ \t]*#(?:[^\n\\]|\\\n|\\.)*', '', text, flags=re.M)
    text = text.replace('__BEGIN_DECLS', ';').replace('__END_DECLS', ';').replace('extern "C"', '')
    depth, flat = 0, []
    for c in text:          # what is in braces is no declaration of a function
        if c == '}':
            depth -= 1
            flat.append(';')
        elif depth == 0 and c != '{':
            flat.append(c)
        elif c == '{':
            if depth == 0:
                flat.append(' {}')
            depth += 1
    found = []
    for statement in ''.join(flat).split(';'):
        s = ' '.join(statement.split())
        if s.startswith(('typedef', 'struct ', 'union ', 'enum ')) and '(' not in s or '{}' in s:
            continue
        if s.startswith(('typedef', 'static')):
            continue
        symbol = re.search(r'__KERNEL_SYMBOL\((\w+)\)', s)
        s = re.sub(r'__\w+(\([^()]*(\([^()]*\))?[^()]*\))?', ' ', s) if '__' in s else s
        match = re.match(r'^[A-Za-z_][\w \*]*?\b(\w+) ?\(', s)
        if match and match.group(1) not in ('if', 'while', 'sizeof'):
            name = match.group(1)
            found.append((name, 'kern_' + symbol.group(1) if symbol else name))
    return sorted(set(found))


# Compilers call these by themselves; kexts get the compiler's.
COMPILER = {'memcmp', 'memcpy', 'memmove', 'memset'}


def exported(library):
    lines = subprocess.run(['nm', '-D', '--defined-only', library], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return {line.split()[-1].split('@')[0] for line in lines} | COMPILER


def names(missing):
    return ', '.join('`%s`' % n for n in missing) if missing else ''


def generate(library, source):
    have = exported(library)
    kernel = os.path.join(source, 'include', 'Kernel')
    lines = ['| header | what for | declared | there | not there |', '|---|---|---|---|---|']
    for header, what in NETWORK:
        functions = declared(os.path.join(kernel, header))
        missing = [n for n, symbol in functions if symbol not in have]
        absent = 'all of them' if functions and len(missing) == len(functions) else names(missing)
        lines.append('| `%s` | %s | %d | %d | %s |' % (
            header, what, len(functions), len(functions) - len(missing), absent))
    others, absent = 0, {}
    for folder, _, files in sorted(os.walk(kernel)):
        for name in sorted(files):
            header = os.path.relpath(os.path.join(folder, name), kernel)
            if not name.endswith('.h') or header in [h for h, _ in NETWORK]:
                continue
            functions = declared(os.path.join(kernel, header))
            others += len(functions)
            missing = [n for n, symbol in functions if symbol not in have]
            if missing:
                absent[header] = missing
    count = sum(len(m) for m in absent.values())
    if count == 0:
        lines += ['', 'All other headers declare %d functions, all of which are there.' % others]
    else:
        lines += ['', 'All other headers declare %d functions, %d of which %s not there:' % (
            others, count, 'is' if count == 1 else 'are'), '']
    lines += ['- `%s`: %s' % (h, names(m)) for h, m in sorted(absent.items())]
    return '\n'.join(lines).rstrip() + '\n'


BEGIN, END = '<!-- generated: surface.py -->\n', '<!-- end -->\n'


def main(args):
    if len(args) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    text = generate(args[0], args[1])
    if '--write' not in args:
        sys.stdout.write(text)
        return 0
    path = os.path.join(args[1], 'docs', 'surface.md')
    page = open(path, encoding='utf-8').read()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    open(path, 'w', encoding='utf-8').write(before + BEGIN + text + END + after)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
