"""Solutions of the exercises of 06_socket: one way of several. The tests run the checks on them."""
import os
import select
import socket
import time

from ipclab import name


def receive_words(words="one two three", one_by_one=False):
    sender, receiver = socket.socketpair()
    if os.fork() == 0:
        name("sender")
        receiver.close()
        data = b"".join(bytes([len(word)]) + word.encode() for word in words.split())
        for piece in [data[k:k + 1] for k in range(len(data))] if one_by_one else [data]:
            sender.sendall(piece)
            time.sleep(0.002 if one_by_one else 0)
        os._exit(0)
    name("receiver")
    sender.close()
    while size := receiver.recv(1):
        word = b""
        while len(word) < size[0]:              # recv() may give fewer bytes than were asked for
            word += receiver.recv(size[0] - len(word))
        print(word.decode())


def answer_both(first=0):
    pairs = [socket.socketpair() for _ in range(2)]
    if os.fork() == 0:
        name("clients")
        for number in (first, 1 - first):
            pairs[number][0].send(b"hello")
            print(number, pairs[number][0].recv(10).decode())
        os._exit(0)
    name("server")
    socks = [server for _, server in pairs]
    for _ in range(2):
        for sock in select.select(socks, [], [])[0]:
            sock.recv(10)
            sock.send(b"yes?")


def drain_the_socket(size=10):
    one, other = socket.socketpair()
    other.setblocking(False)
    if os.fork() == 0:
        name("writer")
        other.close()
        one.sendall(b"x" * size)
        one.recv(1)                             # until the reader has all of it
        os._exit(0)
    name("reader")
    one.close()
    epoll, got = select.epoll(), 0
    epoll.register(other, select.EPOLLIN | select.EPOLLET)
    while got < size:
        epoll.poll()
        try:
            while True:
                got += len(other.recv(4))
        except BlockingIOError:                 # nothing is left: now epoll will tell of what comes
            pass
    print(got)
    other.send(b".")
