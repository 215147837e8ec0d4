"""The handouts that tests read: chapter 01 with its parameters as they are and at both ends, in both languages."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORNERS = {
    "told": ["--answers", "end", "--solutions"],
    "least": ["--answers", "none", "-p", "message=x",
              *"-p writer_delay=0 -p write_size=1 -p read_size=1 -p workers=1".split()],
    "most": ["--answers", "none", "--language", "ko", "-p", "message=" + "가" * 33,
             *"-p writer_delay=0.5 -p write_size=4096 -p read_size=65536 -p workers=8".split()],
}


def make(folders):
    """{corner: (its folder, CompletedProcess)} of {corner: folder}, all made at the same time."""
    running = {corner: subprocess.Popen(
        [sys.executable, "-m", "ipclab", "handout", "01", *CORNERS[corner], "--output", folder], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE) for corner, folder in folders.items()}
    said = {corner: process.communicate(timeout=480) for corner, process in running.items()}
    return {corner: (folder, subprocess.CompletedProcess([], running[corner].returncode, *said[corner]))
            for corner, folder in folders.items()}
