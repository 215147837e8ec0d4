"""Started by a Python program that a recorded process execs (see programs.py): goes on recording, and gets out of the
way. Nothing here may keep the program from running, so a Python that cannot record goes on unrecorded."""
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _here]
if "IPCLAB_BOOT" in os.environ:
    sys.path.insert(0, os.path.dirname(os.path.dirname(_here)))
    try:
        from ipclab import programs

        programs.boot()
    except Exception:
        os.environ.pop("IPCLAB_BOOT", None)
    finally:
        sys.path.pop(0)
if _other := PathFinder.find_spec("sitecustomize", sys.path):  # the machine's own, which ours stood before
    sys.modules["sitecustomize"] = _module = module_from_spec(_other)
    _other.loader.exec_module(_module)
