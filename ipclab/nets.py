"""Sockets as the kernel's tables tell them: /proc/PID/net, and for what is in UNIX sockets sock_diag(7). No socket of
the processes is touched."""
import os
import socket
import struct

from . import proc

STATES = dict(enumerate(("ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE",
                         "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"), 1))  # the kernel's net/tcp_states.h
_UNIX_STATES = {1: "UNCONNECTED", 2: "CONNECTING", 3: "CONNECTED", 4: "DISCONNECTING"}
_UNIX_TYPES = {1: "SOCK_STREAM", 2: "SOCK_DGRAM", 5: "SOCK_SEQPACKET"}
_ACCEPTS = 0x10000  # a flag of /proc/net/unix: it listens
_DIAG = 4, 20, 0x301  # NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP
_SHOW = 4 | 16  # UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN
_PEER, _QUEUES = 2, 4  # UNIX_DIAG_PEER, UNIX_DIAG_RQLEN


def sockets(pid=None):
    """{inode: socket} of the network namespace in which a process is (None: the caller's).

    "family" and "type" as in the socket module; "state"; "local" and "remote" as (address, port), or "path" for a
    UNIX socket (an abstract one's with "@" before it); "peer", the inode of the other end, where it is on this
    machine; "receive_queue" and "send_queue" in bytes, of a listening socket in connections (TCP tells no send queue
    for it); "drops": datagrams that found no room. None for what is not told. proc_pid_net(5), sock_diag(7);
    everyone may read it. A UNIX socket's send queue counts memory, which is more than its bytes.
    """
    found = {}
    for name, family, kind in (("tcp", "AF_INET", "SOCK_STREAM"), ("tcp6", "AF_INET6", "SOCK_STREAM"),
                               ("udp", "AF_INET", "SOCK_DGRAM"), ("udp6", "AF_INET6", "SOCK_DGRAM")):
        for line in _lines(pid, name):
            inode, one = _internet(line.split(), family, kind)
            if inode:
                found[inode] = one
    _pair(found)
    for line in _lines(pid, "unix"):
        inode, one = _unix(line.split(maxsplit=7))
        found[inode] = one
    if any(one["family"] == "AF_UNIX" for one in found.values()) and (
            pid is None or namespace(pid) == namespace(os.getpid())):
        for inode, more in _diagnosed().items():
            if inode in found:
                found[inode] |= more
    return found


def _lines(pid, name):
    try:
        return proc.read(f"/proc/{pid or 'self'}/net/{name}").splitlines()[1:]
    except OSError:
        return []  # this kernel has none of the family, or the process has gone


def _internet(words, family, kind):
    send, receive = (int(part, 16) for part in words[4].split(":"))
    state = STATES.get(int(words[3], 16), words[3])
    listens = state == "LISTEN"
    return int(words[9]), {
        "family": family, "type": kind, "state": state, "local": _address(words[1]), "remote": _address(words[2]),
        "path": None, "peer": None, "receive_queue": receive, "send_queue": None if listens else send,
        "drops": int(words[12]) if kind == "SOCK_DGRAM" else None}


def _address(text):
    """(address, port) of "0100007F:1F90": words of four bytes in the machine's own order."""
    address, port = text.split(":")
    packed = b"".join(struct.pack("=I", int(address[k:k + 8], 16)) for k in range(0, len(address), 8))
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), int(port, 16)


def _pair(found):
    """Two TCP sockets of this machine whose addresses are each other's are each other's peers."""
    ends = {(one["type"], one["local"], one["remote"]): inode for inode, one in found.items()
            if one["state"] != "LISTEN"}
    for one in found.values():
        if one["type"] == "SOCK_STREAM":
            one["peer"] = ends.get((one["type"], one["remote"], one["local"]))


def _unix(words):
    state = "LISTEN" if int(words[3], 16) & _ACCEPTS else _UNIX_STATES.get(int(words[5], 16), words[5])
    return int(words[6]), {
        "family": "AF_UNIX", "type": _UNIX_TYPES.get(int(words[4], 16), words[4]), "state": state, "local": None,
        "remote": None, "path": words[7] if len(words) > 7 else None, "peer": None, "receive_queue": None,
        "send_queue": None, "drops": None}


def namespace(pid):
    """The number of a process's network namespace (namespaces(7)), None where one may not know."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return None


def _diagnosed():
    """{inode: {"peer", "receive_queue", "send_queue"}} of UNIX sockets; {} where the kernel does not answer."""
    protocol, kind, flags = _DIAG
    request = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW, 0, 0)
    found = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as ask:
            ask.settimeout(1)
            ask.send(struct.pack("=IHHII", 16 + len(request), kind, flags, 1, 0) + request)
            while _take(ask.recv(1 << 17), kind, found):
                pass
    except OSError:
        return {}
    return found


def _take(data, kind, found):
    """Put the sockets of one answer into `found`; whether more is to come."""
    while data:
        size, this = struct.unpack_from("=IH", data)
        if this != kind:
            return False  # NLMSG_DONE, or an error
        inode, = struct.unpack_from("=I", data, 20)
        attributes = dict(_attributes(data[32:size]))
        peer, queues = attributes.get(_PEER), attributes.get(_QUEUES)
        receive, send = struct.unpack("=II", queues) if queues else (None, None)
        found[inode] = {"peer": struct.unpack("=I", peer)[0] if peer else None, "receive_queue": receive,
                        "send_queue": send}
        data = data[size + 3 & ~3:]
    return True


def _attributes(data):
    """(type, bytes) of each attribute of a netlink(7) message."""
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:size]
        data = data[max(4, size + 3 & ~3):]
