"""Started by a Python program that a recorded process execs (see programs.py): goes on recording, and gets out of the
way. Nothing here may keep the program from running, so a Python that cannot record goes on unrecorded."""
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _here]
sys.modules.pop("sitecustomize", None)
if "IPCLAB_BOOT" in os.environ:
    sys.path.insert(0, os.path.dirname(os.path.dirname(_here)))
    try:
        from ipclab import programs

        programs.boot()
    except Exception:
        os.environ.pop("IPCLAB_BOOT", None)
    finally:
        sys.path.pop(0)
try:
    import sitecustomize  # noqa: F401  the machine's own, which ours stood before
except ImportError:
    pass
