"""What Python's users reach for: multiprocessing's Connection and Queue, which pickle what they send."""
from .loops import of_calls


def connection(end, message):
    return of_calls(lambda: end.send(message), end.recv)


def queue(end, message):
    incoming, outgoing = end
    return of_calls(lambda: outgoing.put(message), incoming.get)
