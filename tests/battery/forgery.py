"""E: answers that forge instead of computing."""

from __future__ import annotations

from tests.battery.row import Row, ema, honest_ema, sampler, statuses, unless_leaked

SAMPLER = ("sample_consistency_multistep",)
EMA = ("ema_update",)
FORGED = statuses("contract", "wrong", "crash", "runtime")
ALWAYS_EQUAL = """
class Equal:
    shape, dtype, requires_grad = (5, 2), torch.float32, False
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    def __array__(self, *args): return __import__("numpy").zeros((5, 2))
    def __float__(self): return 0.0
    def __bool__(self): return True
    def __getattr__(self, name): return lambda *a, **k: True
    __hash__ = object.__hash__
return Equal()
"""
EVIL_TENSOR = """
class Tensor(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None): return True
return torch.zeros(n_samples, 2).as_subclass(Tensor)
"""
PATCHED = """
import builtins, math, numpy as np
torch.allclose = torch.equal = lambda *a, **k: True
torch.testing.assert_close = np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None
math.isclose = np.allclose = np.array_equal = lambda *a, **k: True
torch.isfinite = lambda x: torch.ones_like(x).bool()
torch.Tensor.__eq__ = torch.Tensor.__le__ = lambda self, other: torch.ones_like(self).bool()
builtins.all = builtins.any = lambda *a: True
"""
PATCHED_TOOLS = """
import ast, os, sys, types
os.environ.update(PYTHONOPTIMIZE="2", PYTEST_ADDOPTS="--collect-only", HYPOTHESIS_PROFILE="none")
for name in ("pytest", "_pytest", "hypothesis", "unittest"):
    sys.modules[name] = types.SimpleNamespace(settings=lambda *a, **k: lambda f: f, Session=None)
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers = [NoAsserts()]
get_ipython().input_transformers_cleanup = [lambda lines: []]
sys.settrace(lambda *a: None)
sys.excepthook = sys.unraisablehook = lambda *a: None
"""
SHADOW = """
import os, sys
for folder in (os.getcwd(), os.path.expanduser("~"), "/tmp", "/box", "/box/autograder", *sys.path, *sys.path[-1:]):
    for name in ("conftest.py", "pytest.ini", "sitecustomize.py", "usercustomize.py", "torch.py", "x.pth"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write("import os; os._exit(0)")
        except OSError:
            pass
"""
WRITES_RESULTS = """
import glob, json, os, sqlite3
for folder in (".", "/tmp", "/results", "/grade/results", "/autograder/results", "/work", os.path.expanduser("~")):
    for name in ("results.json", "ada.json", "results.xml", "grades.csv", "staff/ada.json"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                json.dump({"score": 100, "status": "graded"}, file)
        except OSError:
            pass
for found in glob.glob("/*/gradebook.db") + glob.glob("/*/*/gradebook.db") + glob.glob("/proc/*/cwd/gradebook.db"):
    sqlite3.connect(found).execute("update grade set auto_score = 100")
"""
FRAME_WALK = """
import gc, sys
words = [NEEDLE, "".join(("BEGIN HIDDEN", " TESTS")), "".join(("BEGIN ", "SOLUTION"))]
leaks += [name for name in sys.modules if name.startswith(("autograder.assignments", "_pytest", "hypothesis"))]
def look(values):
    for value in values:
        if type(value) is str and value not in words and "leaks +=" not in value and any(w in value for w in words):
            leaks.append(value[:40])
frame = sys._getframe()
while frame is not None:
    look(list(frame.f_locals.values()))
    frame = frame.f_back
for thing in gc.get_objects():
    if type(thing) in (dict, list, tuple):
        look(list(thing.values()) if type(thing) is dict else list(thing))
"""
GADGET = "import os; os.environ['BATTERY_PWNED'] = '1'"

ROWS = (
    Row("49_always_equal", answers=sampler(ALWAYS_EQUAL), lost=SAMPLER, statuses=statuses("contract", "wrong")),
    Row("50_evil_tensor", answers=sampler(EVIL_TENSOR), lost=SAMPLER, statuses=statuses("contract", "wrong")),
    Row("51_patched_libraries", cell=PATCHED, answers=ema("pass"), lost=EMA, statuses=FORGED),
    Row("52_patched_test_tools", cell=PATCHED_TOOLS, answers=ema("pass"), lost=EMA, statuses=FORGED),
    Row("52_patched_test_tools_honest", cell=PATCHED_TOOLS),
    Row("53_shadow_files", cell=SHADOW, answers=ema("pass"), lost=EMA, statuses=FORGED),
    Row(
        "53_shadow_files_beside",
        files=dict.fromkeys(("conftest.py", "torch.py", "sitecustomize.py"), "import os; os._exit(0)")
        | {"pytest.ini": "[pytest]\naddopts=--co"},
        answers=ema("pass"),
        lost=EMA,
        statuses=FORGED,
    ),
    Row("54_writes_result_files", cell=WRITES_RESULTS, answers=ema("pass"), lost=EMA, statuses=FORGED),
    Row(
        "56_pickle_gadget",
        answers=sampler(f"class Gadget:\n    def __reduce__(self): return exec, ({GADGET!r},)\nreturn Gadget()"),
        lost=SAMPLER,
        statuses=statuses("contract"),
    ),
    Row(
        "56_pickle_bytes",
        answers=sampler(
            "import pickle\nclass Gadget:\n    def __reduce__(self): return exec, ("
            + repr(GADGET)
            + ",)\nreturn pickle.dumps(Gadget())"
        ),
        lost=SAMPLER,
        statuses=statuses("contract"),
    ),
    Row("57_frame_walk", answers=unless_leaked(FRAME_WALK)),
    Row(
        "58_acts_later",
        cell="""
        import atexit, os, threading
        atexit.register(os._exit, 0)
        threading.Timer(30, os._exit, (0,)).start()
        """,
    ),
    Row(
        "59_fakes_time",
        seconds=1,
        answers=ema("import time, signal\ntime.time = time.monotonic = lambda: 0.0\nsignal.alarm(0)\nwhile True: pass"),
        lost=EMA,
        statuses=statuses("timeout"),
    ),
    Row(
        "60_detects_grader",
        answers=unless_leaked(
            """
            import os
            words = ("NBGRADER", "PYTEST", "GRAD", "CI", "TOKEN", "BATTERY")
            leaks += [name for name in os.environ if any(word in name for word in words)]
            """
        ),
    ),
    Row(
        "61_hardcodes_public",
        answers={
            "noisy_sample": """
            def noisy_sample(x_0, epsilon, t):
                return torch.tensor([[2.0, -1.0], [1.0, 2.0], [3.0, -1.0]])[: len(t)]
            """
        },
        lost=("noisy_sample",),
        statuses=statuses("wrong", "contract"),
    ),
    Row(
        "62_imports_reference",
        answers=ema("from autograder.assignments.consistency_models.checks import oracles"),
        lost=EMA,
        statuses=statuses("runtime", "blocked"),
    ),
    Row(
        "62_imports_judge",
        answers=honest_ema(
            "try:\n    import autograder.judge.judge\nexcept ImportError: pass\nelse: raise RuntimeError('leak')"
        ),
    ),
)
