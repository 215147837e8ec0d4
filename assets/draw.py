"""Draws the diagrams that open the chapters: one a mechanism, all in one style. `make assets` writes them beside this,
and those in other languages into folders of their own.

A diagram is a function that returns SVG elements; its name is the file's. Sizes are pixels at full size. The parts are
the field's: processes with their descriptors, the kernel below them, what the kernel keeps, and the calls between.
"""
import os
import pathlib
from html import escape

from ipclab.say import _
from ipclab.translate import languages

WIDTH = 760
INK, PAPER, PALE, LINE = "#1a1a1a", "#ffffff", "#eef3f8", "#5b6770"
BLUE, ORANGE = "#0072B2", "#B45F00"  # AA on white and on the pale ground
STYLE = f"""text{{font-family:'DejaVu Sans','Noto Sans CJK KR',NanumGothic,sans-serif;font-size:16px;fill:{INK}}}
.call,.fd{{font-family:'DejaVu Sans Mono','Noto Sans Mono CJK KR',monospace}}
.small{{font-size:14px}} .title{{font-weight:bold}} .closed{{text-decoration:line-through;fill:{LINE}}}"""


def text(x, y, words, anchor="start", classes=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{classes}">{escape(words)}</text>'


def box(x, y, width, height, title, fill=PAPER, dashed=False):
    """A box with a title in its upper left corner."""
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    return [f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}" stroke="{LINE}" '
            f'stroke-width="1.5"{dash}/>', text(x + 14, y + 26, title, classes="title")]


def process(x, y, title, descriptors):
    """A process with its descriptors: [(number, what it is, whether it is open)]."""
    parts = box(x, y, 220, 40 + 30 * len(descriptors), title)
    for row, (number, what, is_open) in enumerate(descriptors):
        words = f"{number}  {what}" + ("" if is_open else "  " + _("closed"))
        parts.append(text(x + 24, y + 58 + 30 * row, words, classes="fd" if is_open else "fd closed"))
    return parts


def arrow(points, colour):
    """A bent line through the points, with a head at its end."""
    path = " L".join(f"{x} {y}" for x, y in points)
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="3" marker-end="url(#head-{colour[1:]})"/>'


def tube(x, y, width, cells):
    """What the kernel keeps in order: a row of cells, text or None for room that is free."""
    parts, size = [], width / len(cells)
    for place, content in enumerate(cells):
        left = x + place * size
        parts.append(f'<rect x="{left:.1f}" y="{y}" width="{size:.1f}" height="40" fill="{PAPER if content else PALE}" '
                     f'stroke="{LINE}"/>')
        if content:
            parts.append(text(round(left + size / 2, 1), y + 26, content, "middle", "call"))
    return parts


def picture(height, title, parts):
    """The whole SVG text."""
    heads = "".join(f'<marker id="head-{colour[1:]}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="5" '
                    f'markerHeight="5" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
                    for colour in (BLUE, ORANGE))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title><style>{STYLE}</style>'
            f'<defs>{heads}</defs><rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>{"".join(parts)}</svg>\n')


def anonymous_pipe():
    parts = process(20, 16, "parent", [(3, "r", False), (4, "w", True)])
    parts += process(520, 16, "child", [(3, "r", True), (4, "w", False)])
    parts += box(20, 190, 720, 120, _("kernel"), PALE)
    parts += tube(220, 226, 320, [None, None, None, "o", "l", "l", "e", "h"])
    parts += [arrow([(130, 116), (130, 246), (216, 246)], BLUE), arrow([(544, 246), (630, 246), (630, 116)], ORANGE),
              text(142, 164, 'write(4, "hello")', classes="call"), text(618, 164, "read(3, …)", "end", "call"),
              text(380, 290, _("pipe:[inode], room for 65536 bytes"), "middle", "small")]
    return picture(322, _("Parent and child share a pipe in the kernel: the parent writes at descriptor 4, the child "
                          "reads at descriptor 3, and each has closed the other end."), parts)


def named_pipe():
    parts = process(20, 16, "writer", [(3, "meeting", True)]) + process(520, 16, "reader", [(3, "meeting", True)])
    parts += box(270, 104, 220, 94, _("a directory"), dashed=True) + box(20, 236, 720, 120, _("kernel"), PALE)
    parts += tube(220, 272, 320, [None, None, None, "o", "l", "l", "e", "h"])
    parts += [text(290, 158, "prw-r--r-- meeting", classes="fd"),
              text(290, 182, _("a name, no bytes"), classes="small"),
              arrow([(220, 86), (220, 150), (266, 150)], BLUE), arrow([(540, 86), (540, 150), (494, 150)], ORANGE),
              text(248, 44, 'open("meeting", O_WRONLY)', classes="call small"),
              text(512, 76, 'open("meeting", O_RDONLY)', "end", "call small"),
              arrow([(130, 86), (130, 292), (216, 292)], BLUE), arrow([(544, 292), (630, 292), (630, 90)], ORANGE),
              text(142, 222, 'write(3, "hello")', classes="call"), text(618, 222, "read(3, …)", "end", "call"),
              text(380, 336, _("a pipe, as if it had no name"), "middle", "small")]
    return picture(368, _("Two programs that were started separately have opened the same path, meeting, one for "
                          "writing and one for reading. The directory holds the name only. The bytes go through a pipe "
                          "in the kernel, from the writer to the reader."), parts)


def message_queue():
    parts = process(20, 16, "sender", [(3, "/jobs", True)]) + process(520, 16, "receiver", [(3, "/jobs", True)])
    parts += box(20, 150, 720, 214, _("kernel"), PALE)
    parts += tube(220, 196, 320, ["0 c", "0 a", "5 d", "5 b", "9 e"])
    parts += tube(220, 286, 320, ["3 e", "1 d", "2 c", "1 b", "3 a"])
    parts += [arrow([(130, 86), (130, 216), (216, 216)], BLUE), arrow([(544, 216), (630, 216), (630, 90)], ORANGE),
              arrow([(130, 216), (130, 306), (216, 306)], BLUE),
              arrow([(380, 326), (380, 346), (660, 346), (660, 90)], ORANGE),
              text(142, 134, 'send("e", priority=9)', classes="call"), text(618, 134, "receive()", "end", "call"),
              text(380, 256, _("POSIX: the highest priority leaves first"), "middle", "small"),
              text(36, 350, _("System V: the receiver picks a type, here 2"), classes="small")]
    return picture(376, _("A sender puts messages into queues in the kernel, and a receiver takes them out. In a POSIX "
                          "queue the highest priority leaves first. In a System V queue the receiver picks a type."),
                   parts)


def memory_map():
    parts = box(20, 16, 290, 100, _("process A, MAP_PRIVATE")) + box(450, 16, 290, 100, _("process B, MAP_SHARED"))
    parts += box(20, 196, 720, 104, _("kernel"), PALE) + box(20, 372, 720, 60, _("disk: the file"), PALE)
    parts += tube(60, 56, 240, ["mine", "BBBB", "CCCC"]) + tube(475, 56, 240, ["AAAA", "BBBB", None])
    parts += tube(60, 240, 80, ["mine"]) + tube(260, 240, 240, ["AAAA", "BBBB", "CCCC"])
    parts += [arrow([(x, 96), (to, 236)], BLUE) for x, to in ((100, 100), (180, 372), (260, 452))]
    parts += [arrow([(x, 96), (to, 236)], ORANGE) for x, to in ((515, 308), (595, 388))]
    parts += [arrow([(330, 372), (330, 304)], ORANGE), arrow([(430, 300), (430, 368)], BLUE),
              text(320, 346, _("a page fault reads"), "end", "small"),
              text(440, 346, _("msync() writes, or the kernel, later"), classes="small"),
              text(516, 265, _("page cache: the file's pages"), classes="small"),
              text(150, 265, _("a copy"), classes="small")]
    return picture(444, _("Two processes have mapped a file of three pages. Their maps lead to the file's pages in the "
                          "kernel's page cache. Process A has stored into its first page, and so has a copy of it. "
                          "Process B has not touched its third page, which leads nowhere yet. The page cache is read "
                          "from the disk, and written to it."), parts)


def shared_memory():
    parts = box(20, 16, 270, 110, _("process first")) + box(470, 16, 270, 110, _("process second"))
    parts += box(20, 206, 720, 146, _("kernel"), PALE) + box(40, 250, 170, 78, "/dev/shm", dashed=True)
    parts += tube(40, 66, 230, ["hello", "world"]) + tube(490, 66, 230, ["hello", "world"])
    parts += tube(265, 262, 230, ["hello", "world"])
    parts += [arrow([(x, 106), (to, 258)], BLUE) for x, to in ((98, 312), (212, 426))]
    parts += [arrow([(x, 106), (to, 258)], ORANGE) for x, to in ((548, 334), (662, 448))]
    parts += [text(270, 46, "0x7f51…", "end", "call small"), text(720, 46, "0x7fa8…", "end", "call small"),
              text(380, 72, _("loads and stores:"), "middle"), text(380, 94, _("no call"), "middle"),
              text(56, 310, "ipclab-100", classes="fd"), arrow([(210, 290), (261, 290)], BLUE),
              text(380, 334, _("two physical pages"), "middle", "small"),
              text(516, 278, _("calls only set it up:"), classes="small"),
              text(516, 302, "shm_open, ftruncate,", classes="call small"),
              text(516, 324, "mmap", classes="call small")]
    return picture(364, _("Two processes, first and second, have mapped the same object of two pages, each at an "
                          "address of its own. Both maps lead to the same two physical pages. A name in /dev/shm leads "
                          "to the object. Calls set this up; loads and stores go to the pages directly."), parts)


def socket():
    parts = process(20, 16, _("client"), [(3, "socket", True)])
    parts += process(520, 16, _("server"), [(3, _("listens"), True), (4, "socket", True)])
    parts += box(20, 196, 720, 196, _("kernel"), PALE)
    parts += tube(160, 244, 180, [None, None, "o", "l"]) + tube(420, 244, 180, [None, "l", "e", "h"])
    parts += tube(160, 324, 180, ["w", "e", "l", None]) + tube(420, 324, 180, ["c", "o", "m", "e"])
    parts += [arrow([(200, 86), (200, 240)], BLUE), arrow([(344, 264), (416, 264)], BLUE),
              arrow([(540, 244), (540, 120)], BLUE), arrow([(690, 116), (690, 344), (604, 344)], ORANGE),
              arrow([(416, 344), (344, 344)], ORANGE), arrow([(156, 344), (110, 344), (110, 90)], ORANGE),
              text(212, 150, 'send("hello")', classes="call small"), text(530, 150, "recv(100)", "end", "call small"),
              text(98, 150, "recv(100)", "end", "call small"), text(682, 178, 'send("welcome")', "end", "call small"),
              text(250, 302, _("send queue"), "middle", "small"), text(510, 302, _("receive queue"), "middle", "small"),
              text(250, 382, _("receive queue"), "middle", "small"), text(510, 382, _("send queue"), "middle", "small"),
              text(380, 240, _("packets"), "middle", "small"), text(380, 370, _("packets"), "middle", "small")]
    return picture(404, _("Client and server are connected. Each has a socket in the kernel, with a queue for what is "
                          "to be sent and a queue for what has come. Packets go between the two, on one host or "
                          "between two. The server has one more socket, at which it listens for clients."), parts)


def signals():
    parts = box(20, 16, 230, 100, _("sender")) + box(470, 16, 270, 134, _("receiver"))
    parts += box(20, 216, 720, 150, _("kernel"), PALE) + box(620, 286, 96, 44, _("mask"))
    parts += tube(270, 290, 300, ["SIGUSR1", None, None])
    way = f"M488 92H560V128H650V92H722\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"2\""  # the handler's detour
    parts += [f'<path d="{way}/>', text(488, 84, _("program"), classes="small"),
              text(605, 122, _("handler"), "middle", "small"),
              arrow([(135, 116), (135, 300), (266, 300)], BLUE), text(34, 84, "kill(pid, SIGUSR1)", classes="call"),
              arrow([(574, 310), (616, 310)], ORANGE), arrow([(668, 286), (668, 180), (605, 180), (605, 132)], ORANGE),
              arrow([(222, 322), (266, 322)], BLUE), text(146, 190, _("sends"), classes="small"),
              text(34, 350, _("keys, timers, ends of children"), classes="small"),
              text(680, 190, _("delivers"), classes="small"),
              text(420, 276, _("pending signals of the receiver"), "middle", "small")]
    return picture(378, _("A sender calls kill. In the kernel the signal joins the receiver's pending signals, as do "
                          "those that the kernel sends itself, for a key, a timer, the end of a child. What the "
                          "receiver's mask does not block is delivered: the receiver's program is interrupted, its "
                          "handler runs, and the program goes on."), parts)


def semaphore_mutex():
    parts = box(20, 186, 350, 84, _("shared memory")) + box(390, 186, 350, 84, _("semaphore"))
    for x, letter, state in ((20, "A", _("is in")), (210, "B", _("is waiting"))):
        parts += box(x, 16, 180 if letter == "A" else 160, 78, _("process {letter}").format(letter=letter))
        parts += [text(x + 14, 74, state)]
    for x, letter, state in ((390, "C", _("is in")), (510, "D", _("is in")), (630, "E", _("is waiting"))):
        parts += box(x, 16, 110, 78, letter) + [text(x + 14, 74, state)]
    parts += box(20, 326, 720, 90, _("kernel"), PALE) + tube(205, 356, 120, ["B"]) + tube(580, 356, 120, ["E"])
    parts += tube(110, 222, 160, [_("mutex: owner A")]) + tube(500, 222, 70, ["0"])
    parts += [arrow([(190, 94), (190, 218)], BLUE), arrow([(555, 94), (555, 218)], BLUE),
              arrow([(445, 94), (445, 160), (520, 160), (520, 218)], BLUE), arrow([(300, 94), (300, 352)], ORANGE),
              arrow([(692, 94), (692, 352)], ORANGE), text(178, 150, "lock()", "end", "call"),
              text(312, 150, "lock()", classes="call"), text(567, 150, "acquire()", classes="call"),
              text(582, 248, _("began with 2"), classes="small"),
              text(190, 382, _("wait for it:"), "end", "small"), text(565, 382, _("wait for it:"), "end", "small")]
    return picture(428, _("Left: a mutex in shared memory. Its owner is process A, which is in; process B waits in the "
                          "kernel. Right: a semaphore that began with 2 and is 0 now. Processes C and D are in; "
                          "process E waits in the kernel until somebody adds 1."), parts)


SIGNS = {  # what stands for a way to communicate, 40 by 20, drawn with lines
    "pipe": "M2 5h36M2 15h36M2 5v10M38 5v10M10 10h18M23 6l5 4l-5 4",
    "fifo": "M2 5h26M2 15h26M2 5v10M28 5v10M6 10h14M32 2h7v8h-7z",
    "queue": "M2 3h10v14h-10zM15 3h10v14h-10zM28 3h10v14h-10zM2 3l5 5l5 -5M15 3l5 5l5 -5M28 3l5 5l5 -5",
    "socket": "M2 10h10M12 4v12h4a6 6 0 0 0 0 -12zM38 10h-10M28 4v12h-2a6 6 0 0 1 0 -12z",
    "map": "M4 1h10l5 5v13h-15zM14 1v5h5M23 10h14M23 6v8M37 6v8M23 6h14M23 14h14",
    "memory": "M2 2h22v10h-22zM16 8h22v10h-22z",
    "lock": "M12 9h16v10h-16zM15 9v-3a5 5 0 0 1 10 0v3M20 13v2",
    "signal": "M23 1l-9 10h6l-3 8l9 -10h-6z"}


def way(x, y, width, chapter, title, sign):
    """A way to communicate, as the kernel offers it: its chapter, its name and its sign."""
    return [f'<rect x="{x}" y="{y}" width="{width}" height="62" rx="6" fill="{PAPER}" stroke="{LINE}"/>',
            text(x + 10, y + 24, chapter, classes="small"), text(x + 10, y + 50, title),
            f'<path transform="translate({x + width - 50} {y + 9})" d="{SIGNS[sign]}" fill="none" stroke="{BLUE}" '
            'stroke-width="1.5"/>']


def processes():
    parts = []
    for x, title, letters in ((20, _("process A"), '"old"'), (500, _("process B"), '"new"')):
        parts += box(x, 16, 240, 104, title)
        parts += [text(x + 14, 74, _("memory of its own"), classes="small"),
                  text(x + 24, 102, f"0x7f00: {letters}", classes="call")]
    parts += [f'<path d="M266 68H494" stroke="{LINE}" stroke-width="2" stroke-dasharray="6 6"/>',
              f'<path d="M368 56l24 24M392 56l-24 24" stroke="{ORANGE}" stroke-width="4"/>',
              text(380, 42, _("no way across"), "middle", "small")]
    parts += [*box(20, 196, 720, 206, _("kernel"), PALE), arrow([(140, 120), (140, 192)], BLUE),
              arrow([(620, 196), (620, 124)], ORANGE), text(380, 166, _("system calls"), "middle")]
    ways = [(34, 258, 172, "01", _("anonymous pipe"), "pipe"), (34, 326, 172, "02", _("named pipe"), "fifo"),
            (212, 258, 156, "03", _("message queue"), "queue"), (212, 326, 156, "06", _("socket"), "socket"),
            (384, 258, 156, "04", _("memory map"), "map"), (384, 326, 156, "05", _("shared memory"), "memory"),
            (556, 258, 172, "07", _("semaphore, mutex"), "lock"), (556, 326, 172, "08", _("signal"), "signal")]
    parts += [part for one in ways for part in way(*one)]
    parts += [text(x, 248, words, "middle") for x, words in
              ((201, _("carry data")), (462, _("share memory")), (642, _("say when")))]
    return picture(414, _("Two processes, each with memory of its own, and no way from one to the other but through "
                          "the kernel, which offers eight ways."), parts)


def decision(y, question, answers):
    """A question, and to its right what to take where the answer is yes: [(name, for what)]."""
    parts = [f'<rect x="20" y="{y}" width="216" height="62" rx="31" fill="{PALE}" stroke="{LINE}" stroke-width="1.5"/>',
             text(128, y + 37, question, "middle"), arrow([(236, y + 31), (282, y + 31)], BLUE)]
    for place, (title, use) in enumerate(answers):
        x, wide = 286 + place * 454 // len(answers), 454 // len(answers) - 8
        parts += [f'<rect x="{x}" y="{y}" width="{wide}" height="62" rx="6" fill="{PAPER}" stroke="{LINE}"/>',
                  text(x + 10, y + 26, title, classes="title"), text(x + 10, y + 49, use, classes="small")]
    return parts


def choosing():
    asked = [(_("To another host?"), [("TCP", _("nothing may be lost")), ("UDP", _("only the newest counts"))]),
             (_("Nothing to carry?"), [(_("signal"), _("it interrupts")), (_("semaphore"), _("it makes wait"))]),
             (_("Much, used in place?"), [(_("shared memory"), _("with a semaphore")),
                                          (_("memory map"), _("it belongs to a file"))]),
             (_("Whole messages?"), [(_("message queue"), _("messages may wait")),
                                     (_("UNIX seqpacket"), _("both ways, peer known"))]),
             (_("A stream of bytes"), [(_("pipe"), _("relatives")), ("FIFO", _("strangers")),
                                       (_("UNIX stream"), _("both ways"))])]
    parts = [part for row, (question, answer) in enumerate(asked) for part in decision(16 + 88 * row, question, answer)]
    for y in range(78, 78 + 88 * 4, 88):
        parts += [arrow([(128, y), (128, y + 24)], ORANGE), text(142, y + 18, _("no"), classes="small")]
    parts += [text(259, 40 + 88 * row, _("yes"), "middle", "small") for row in range(4)]
    return picture(444, _("Questions one below the other, each with what to take. To another host: TCP, or UDP where "
                          "only the newest counts. Nothing to carry: a signal or a semaphore. Much, used in place: "
                          "shared memory or a memory map. Whole messages: a queue or a UNIX socket. A stream of bytes: "
                          "pipe, FIFO or UNIX stream socket."), parts)


DIAGRAMS = [processes, anonymous_pipe, named_pipe, message_queue, memory_map, shared_memory, socket, semaphore_mutex,
            signals, choosing]


def main():
    for language in ["en", *languages()]:
        os.environ["IPCLAB_LANGUAGE"] = language
        folder = pathlib.Path(__file__).parent / ("" if language == "en" else language)
        folder.mkdir(exist_ok=True)
        for diagram in DIAGRAMS:
            (folder / f"{diagram.__name__}.svg").write_text(diagram(), encoding="utf8")


if __name__ == "__main__":
    main()
