"""Work for the kernel's event loop: what widgets' callbacks hand over to it, from whatever thread they run in."""


def guarded(loop, fail):
    """(guard, later): guard(what, *args) calls it, and fail(error) shows what it raises where the reader looks, for
    nobody sees a callback's traceback; later(what, *args) has the event loop do that."""
    def guard(what, *args):
        try:
            what(*args)
        except Exception as error:
            fail(error)

    def later(what, *args):
        loop.call_soon_threadsafe(guard, what, *args)

    return guard, later
