"""The system calls that a job may not make; x86_64 and aarch64, refused anywhere else.

Denied calls fail with EPERM (EACCES for sockets other than AF_UNIX, ENOSYS for clone3 so that the
C library falls back to clone, whose flags can be looked at). The filter cannot be taken off again.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_NAMES = """
ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd pidfd_send_signal process_madvise
shmget semget msgget mq_open keyctl add_key request_key unshare setns mount umount2
pivot_root chroot open_tree move_mount fsopen fsconfig fsmount mount_setattr bpf
perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register kexec_load
kexec_file_load init_module finit_module delete_module personality name_to_handle_at
open_by_handle_at migrate_pages move_pages rt_sigqueueinfo rt_tgsigqueueinfo swapon swapoff
reboot syslog quotactl lookup_dcookie vmsplice acct settimeofday clock_settime adjtimex
clock_adjtime sethostname setdomainname memfd_create memfd_secret
"""
_X86_64 = """
101 310 311 312 438 424 440 29 64 68 240 250 248 249 272 308 165 166 155 161 428 429 430 431
432 442 321 298 323 425 426 427 246 320 175 313 176 135 303 304 256 279 129 297 167 168 169
103 179 212 278 163 164 227 159 305 170 171 319 447
"""
_AARCH64 = """
117 270 271 272 438 424 440 194 190 186 180 219 217 218 97 268 40 39 41 51 428 429 430 431
432 442 280 241 282 425 426 427 104 294 105 273 106 92 264 265 238 239 138 240 224 225 142
116 60 18 75 89 170 112 171 266 161 162 279 447
"""

# Calls on another process: allowed with 0 (oneself) only. By the index of the process argument.
_ON_SELF: dict[str, dict[str, tuple[int, int]]] = {
    "x86_64": {
        "prlimit64": (302, 0), "sched_setaffinity": (203, 0), "sched_setscheduler": (144, 0),
        "sched_setparam": (142, 0), "sched_setattr": (314, 0), "setpriority": (141, 1),
        "ioprio_set": (251, 1),
    },
    "aarch64": {
        "prlimit64": (261, 0), "sched_setaffinity": (122, 0), "sched_setscheduler": (119, 0),
        "sched_setparam": (118, 0), "sched_setattr": (274, 0), "setpriority": (140, 1),
        "ioprio_set": (30, 1),
    },
}  # fmt: skip
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_CLONE3 = 435
_NEW_NAMESPACES = 0x7E020080  # every CLONE_NEW* flag

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16


def table(machine: str) -> dict[str, int]:
    """Denied calls by name; empty for a machine that is not known."""
    numbers = {"x86_64": _X86_64, "aarch64": _AARCH64}.get(machine, "").split()
    return dict(zip(_NAMES.split(), map(int, numbers), strict=True)) if numbers else {}


def program(machine: str) -> bytes:
    """The classic BPF program, 8 bytes an instruction.

    Raises:
        KeyError: for a machine without a table.
    """
    code: list[tuple[int, int, int, int]] = []

    def add(operation: int, value: int, then: int = 0, otherwise: int = 0) -> None:
        code.append((operation, then, otherwise, value))

    def refuse(number: int, error: int) -> None:
        add(_EQUAL, number, 0, 1)
        add(_RETURN, _ERRNO | error)

    add(_LOAD, _ARCH)
    add(_EQUAL, _AUDIT_ARCH[machine], 1, 0)
    add(_RETURN, _KILL)
    add(_LOAD, _NUMBER)
    if machine == "x86_64":  # the x32 table
        add(_AT_LEAST, 0x40000000, 0, 1)
        add(_RETURN, _ERRNO | errno.EPERM)
    for number in table(machine).values():
        refuse(number, errno.EPERM)
    refuse(_CLONE3, errno.ENOSYS)
    add(_EQUAL, _CLONE[machine], 0, 4)
    add(_LOAD, _ARGUMENTS)
    add(_ANY_BIT, _NEW_NAMESPACES, 0, 1)
    add(_RETURN, _ERRNO | errno.EPERM)
    add(_RETURN, _ALLOW)
    for number, argument in _ON_SELF[machine].values():
        add(_EQUAL, number, 0, 4)
        add(_LOAD, _ARGUMENTS + 8 * argument)
        add(_EQUAL, 0, 1, 0)
        add(_RETURN, _ERRNO | errno.EPERM)
        add(_RETURN, _ALLOW)
    add(_EQUAL, _SOCKET[machine], 0, 4)
    add(_LOAD, _ARGUMENTS)
    add(_EQUAL, 1, 1, 0)  # AF_UNIX
    add(_RETURN, _ERRNO | errno.EACCES)
    add(_RETURN, _ALLOW)
    add(_RETURN, _ALLOW)
    return b"".join(struct.pack("<HBBI", op, then, other, v) for op, then, other, v in code)


class _Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Filter:
    """The program in memory, ready to install after a fork without allocating much."""

    def __init__(self) -> None:
        code = program(platform.machine())
        self.buffer = ctypes.create_string_buffer(code, len(code))
        pointer = ctypes.cast(self.buffer, ctypes.c_void_p)
        self.program = _Program(len(code) // 8, pointer)

    def install(self, libc: ctypes.CDLL) -> bool:
        """Whether the kernel took it (no_new_privs has to be set before)."""
        return int(libc.prctl(22, 2, ctypes.byref(self.program), 0, 0)) == 0
