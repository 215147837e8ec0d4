"""Work that mostly waits, begun for several cases at once, before their tests ask for what came of it."""
import concurrent.futures
import contextlib

AT_ONCE = 3  # a notebook computes for a third of its time


@contextlib.contextmanager
def ahead(request, parameter, work):
    """A function from a value to work(value), begun already for all values of that parameter that will be tested in
    the module that makes the request."""
    items = [item for item in request.session.items if item.path == request.path]
    values = dict.fromkeys(item.callspec.params[parameter] for item in items
                           if request.fixturename in item.fixturenames)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {value: pool.submit(work, value) for value in values}
        try:
            yield lambda value: begun[value].result()
        finally:
            pool.shutdown(cancel_futures=True)
