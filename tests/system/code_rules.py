#!/usr/bin/env python3
"""Checks the rules of the house that no compiler checks.

usage: code_rules.py SOURCE BUILD

 - who includes whom: arrows point down only, and the core and kexts see no header of the host's;
 - the core's objects have no mutable globals: everything hangs off a machine;
 - files, functions and lines have a limit; tabs indent; nothing is left to be done.
"""
import os
import re
import subprocess
import sys

# ---- who includes whom ---------------------------------------------------------------------------

# Which folders' headers, besides its own, a folder may include. Upwards, calls go through registered
# function pointers. IP calls its filters itself, so they are below it.
BELOW = {
    'src/kern': [],
    'sockfilter': ['src/kern'],
    'src/net': ['src/kern'],
    'dlil': ['src/net', 'src/kern'],
    'iffilter': ['dlil', 'src/net', 'src/kern'],
    'ipfilter': ['src/net', 'src/kern'],
    'src/netinet': ['ipfilter', 'dlil', 'src/net', 'src/kern'],
    'src/netinet6': ['src/netinet', 'ipfilter', 'dlil', 'src/net', 'src/kern'],
    'kpi': ['iffilter', 'ipfilter', 'sockfilter', 'src/netinet6', 'src/netinet', 'dlil', 'src/net', 'src/kern'],
    'src/host': [],
    'src/drill': [],
    'src/cmd': ['src/drill'],
    'examples': [],
}
CORE = [f for f in BELOW if f not in ('src/host', 'src/drill', 'src/cmd', 'examples')]

# The doors between core and host; kpi/symbols.h lists what kexts link to.
DOORS = {'src/kern/corecalls.h', 'src/kern/filecalls.h', 'src/kern/hostcalls.h', 'src/kern/kextcalls.h',
         'src/kern/sockcalls.h', 'src/kern/tracecalls.h', 'src/kern/wirecalls.h',
         'src/net/routecalls.h', 'src/netinet/tcp_user.h', 'kpi/symbols.h'}

# What compilers bring along.
BUILTIN = {'float.h', 'limits.h', 'stdarg.h', 'stdbool.h', 'stddef.h', 'stdint.h'}

# ---- sizes ---------------------------------------------------------------------------------------

FILE_LINES, FUNCTION_LINES = 900, 100
COLUMNS = 110                   # 100 are the aim; with tabs of 8

FOLDERS = list(BELOW) + ['include', 'tests']
CODE = ('.c', '.h', '.cpp')

# Sections of an object in which something can be changed.
MUTABLE = re.compile(r'\s(\.data|\.bss|\.tdata|\.tbss|COMMON|\*COM\*|\.[td]?(data|bss)\.(?!rel\.ro)\S+)\s')
ALLOWED_GLOBALS = {
    'kern_thread': 'thread-local: the register that says which thread runs',
}


def files(source):
    for folder in FOLDERS:
        for where, _, names in os.walk(os.path.join(source, folder)):
            for name in sorted(names):
                if name.endswith(CODE):
                    yield os.path.relpath(os.path.join(where, name), source)


def folder_of(path):
    """The folder of BELOW that it is in; None: none of them."""
    found = [f for f in BELOW if path.startswith(f + '/')]
    return max(found, key=len) if found else None


def is_kext(source, path):
    with open(os.path.join(source, path), encoding='utf-8') as f:
        return '<nke/' not in f.read()


def check_include(source, path, kind, target):
    """What is wrong with an #include, None nothing."""
    folder = folder_of(path)
    if folder is None:
        return None
    kernel = os.path.exists(os.path.join(source, 'include', 'Kernel', target))
    if kind == '<':
        if folder in CORE and not kernel and target not in BUILTIN:
            return 'the core includes <%s>, which is neither in include/Kernel nor the compiler\'s' % target
        if folder == 'examples' and path.endswith('.c') and is_kext(source, path) and not kernel \
                and target not in BUILTIN:
            return 'a kext includes <%s>, which is not in include/Kernel' % target
        return None
    into = folder_of(target)
    if into is None or into == folder:
        return None
    if target in DOORS and folder == 'src/host' or target == 'src/netinet/tcp_user.h' and folder == 'src/drill':
        return None
    if target == 'src/netinet/tcp_user.h' and folder == 'src/drill':     # what TCP_INFO tells
        return None
    if into not in BELOW[folder]:
        return '%s includes "%s": %s' % (folder, target, 'it may include ' + ', '.join(BELOW[folder])
                                         if BELOW[folder] else 'nothing but its own')
    return None


def check_text(source, path):
    """(line, what is wrong) of one file."""
    with open(os.path.join(source, path), encoding='utf-8') as f:
        lines = f.read().split('\n')
    if len(lines) > FILE_LINES:
        yield 1, '%d lines; a file has at most %d' % (len(lines), FILE_LINES)
    begin = 0
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS:
            yield number, '%d columns; at most %d' % (width, COLUMNS)
        if re.match(r'\t* {8}', line):
            yield number, 'indented with blanks; tabs are 8 wide here'
        if line != line.rstrip():
            yield number, 'blanks at the end'
        if re.search(r'\b(TODO|FIXME|XXX)\b', line):
            yield number, 'something is left to be done'
        if line == '{':
            begin = number
        elif line.startswith('}') and begin:
            if number - begin > FUNCTION_LINES:
                yield begin, 'a function of %d lines; at most %d' % (number - begin, FUNCTION_LINES)
            begin = 0
        include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if include:
            wrong = check_include(source, path, *include.groups())
            if wrong:
                yield number, wrong


def check_objects(build):
    """Mutable globals of the core's objects."""
    objects = [os.path.join(where, name)
               for where, _, names in os.walk(os.path.join(build, 'CMakeFiles', 'nke_core.dir'))
               for name in names if name.endswith('.o')]
    for path in objects:
        table = subprocess.run(['objdump', '-t', path], capture_output=True, text=True).stdout
        if '__asan_' in table or '__sancov' in table:
            return              # an instrumented build has the sanitizer's own
        for line in table.splitlines():
            words = line.split()
            if MUTABLE.search(line) and ' d  ' not in line and words[-1] not in ALLOWED_GLOBALS:
                yield '%s: %s can be changed: the state of the core hangs off its machine' % (
                    os.path.basename(path), words[-1])


def main(source, build):
    bad = 0
    for path in files(source):
        for number, what in check_text(source, path):
            print('%s:%d: %s' % (path, number, what))
            bad += 1
    for what in check_objects(build):
        print(what)
        bad += 1
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else print(__doc__) or 2)
