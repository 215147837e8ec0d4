"""posix_ipc and sysv_ipc raise exceptions without an errno: the one that each means, by its type and its words."""
import errno

# exception type: [(words of the message, the errno)], of which the first that fits counts
MEANT = {
    "ExistentialError": [("already exists", errno.EEXIST), ("not open for", errno.EBADF),
                         ("no longer exists", errno.EIDRM), ("was removed", errno.EIDRM), ("", errno.ENOENT)],
    "PermissionsError": [("", errno.EACCES)],
    "SignalError": [("", errno.EINTR)],
    "NotAttachedError": [("", errno.EINVAL)],
    "InternalError": [("", errno.EIO)],
    "BusyError": [("No available messages", errno.ENOMSG), ("notifications elsewhere", errno.EBUSY),
                  ("", errno.EAGAIN)],
    "OSError": [("maximum number of files open", errno.EMFILE)],
    "ValueError": [("message is too long", errno.EMSGSIZE), ("no longer than", errno.EMSGSIZE),
                   ("max_message_size", errno.EMSGSIZE), ("name is too long", errno.ENAMETOOLONG),
                   ("between 0 and SEMVMX", errno.ERANGE), ("", errno.EINVAL)],
}


def meant(call, error, message, waited, args, keywords):
    """The errno of an exception that has none, None where it means none. `waited` (seconds) tells a wait that
    ended by its timeout (ETIMEDOUT) from one that was not begun (EAGAIN): both are a BusyError."""
    if not call.startswith(("posix_ipc.", "sysv_ipc.")):
        return None
    kind = type(error).__name__
    if kind == "BusyError" and waited > 0 and any(waited >= given > 0 for given in _numbers(args, keywords)):
        return errno.ETIMEDOUT
    return next((number for words, number in MEANT.get(kind, ()) if words in message), None)


def _numbers(args, keywords):
    """What may be the timeout of acquire(timeout), receive(timeout) or send(message, timeout), in seconds."""
    return [value for value in (keywords.get("timeout"), *args[:2]) if type(value) in (int, float)]
