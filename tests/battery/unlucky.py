"""C and D: ordinary wrong or unlucky code, crashes and attacks on resources."""

from __future__ import annotations

from tests.battery.row import Row, ema, honest_ema, sampler, statuses

CRASH = statuses("crash")
PAIR_LOST = ("consistency_training_pair",)

ROWS = (
    Row("28_blank_release", blank=True),
    Row(
        "29_returns_none",
        answers=sampler("pass"),
        lost=("sample_consistency_multistep",),
        statuses=statuses("contract"),
        says="returned None",
    ),
    Row(
        "30_wrong_dtype",
        answers=sampler("return torch.randn(n_samples, 2).tolist()"),
        lost=("sample_consistency_multistep",),
        statuses=statuses("contract", "wrong"),
    ),
    Row(
        "31_nan_inf",
        answers={
            "noisy_sample": """
            def noisy_sample(x_0, epsilon, t):
                t = t[:, None]
                return ((1 - t) * x_0 + t * epsilon) / (t < 1)
            """
        },
        partly=("noisy_sample",),
        statuses=statuses("contract"),
        says="NaN or inf",
    ),
    Row(
        "31_nan_everywhere",
        answers=ema("for p in target.parameters(): p.data.fill_(float('nan'))"),
        lost=("ema_update",),
        statuses=statuses("contract", "wrong"),
        says="NaN",
    ),
    Row(
        "32_mutates_inputs",
        answers={
            "noisy_sample": """
            def noisy_sample(x_0, epsilon, t):
                return x_0.mul_(1 - t[:, None]).add_(t[:, None] * epsilon)
            """
        },
        # Two of the four functions give the right values, so half of the training's points are there to be had.
        partly=("noisy_sample", "boundary_condition", "sample_quality"),
        statuses=statuses("contract", "wrong"),
        says="x_0",
    ),
    Row(
        "33_syntax_error",
        answers={"ema_update": "def ema_update(online, target, decay)\n    pass"},
        lost=("ema_update",),
        statuses=statuses("syntax"),
        warnings=("cell_failed",),
        says="line 1",
    ),
    Row(
        "34_infinite_loop",
        seconds=1,
        answers=ema("while True: pass"),
        lost=("ema_update",),
        statuses=statuses("timeout"),
    ),
    Row("34_infinite_loop_in_cell", seconds=1, cell="while True: pass", warnings=("cell_cut_short",)),
    Row(
        "34_infinite_questions",
        answers=sampler("while True: model(torch.randn(n_samples, 2), torch.ones(n_samples))"),
        lost=("sample_consistency_multistep",),
    ),
    Row(
        "34_infinite_questions_whatever_comes",
        seconds=1,
        answers=sampler("""
        while True:
            try: model(torch.randn(n_samples, 2), torch.ones(n_samples))
            except Exception: pass
        """),
        lost=("sample_consistency_multistep",),
        statuses=statuses("timeout"),
    ),
    Row(
        "35_infinite_recursion",
        answers=ema("return ema_update(online, target, decay)"),
        lost=("ema_update",),
        statuses=statuses("runtime"),
        says="RecursionError",
    ),
    Row(
        "35_recursion_past_the_stack",
        answers=ema("""
        import sys
        sys.setrecursionlimit(10**9)
        def deeper(x): return max([x], key=deeper)
        return deeper(0)
        """),
        lost=("ema_update",),
        statuses=statuses("crash"),
        says="SIGSEGV",
    ),
    *(
        Row(f"36_{name}", answers=ema(f"raise {name}"), lost=("ema_update",), statuses=statuses("runtime"), says=name)
        for name in ("SystemExit", "KeyboardInterrupt", "GeneratorExit")
    ),
    Row(
        "37_warnings_and_stderr",
        answers=honest_ema(
            """
            import logging, sys, warnings
            warnings.warn("careful")
            logging.warning("hm")
            print("note", file=sys.stderr)
            """
        ),
    ),
    Row("38_chatty", answers=honest_ema("print('x' * 200_000)"), warnings=("output_truncated",)),
    Row("39_memory_bomb_tensor", answers=ema("torch.zeros(10**12)"), lost=("ema_update",), statuses=statuses("memory")),
    Row(
        "39_memory_bomb_list",
        # Pages that are never touched cost no time: the limit is met before the clock, however busy the machine.
        answers=ema("held = []\nwhile True: held.append(torch.empty(10**8, dtype=torch.uint8))"),
        lost=("ema_update",),
        statuses=statuses("memory"),
    ),
    Row(
        "39_memory_bomb_shared",
        answers=ema(
            """
            import mmap
            held = []
            while True:
                held.append(mmap.mmap(-1, 10**7))
                held[-1].write(b"x" * 10**7)
            """
        ),
        lost=("ema_update",),
        statuses=statuses("memory"),
    ),
    Row(
        "42_reseeds_inside",
        answers=sampler(
            """
            torch.manual_seed(0)
            x_0 = None
            with torch.no_grad():
                for s in torch.linspace(sigma_max, sigma_min, n_steps + 1)[:-1]:
                    noise = torch.randn(n_samples, 2)
                    x = noise if x_0 is None else (1 - s) * x_0 + s * noise
                    x_0 = model(x, s.expand(n_samples))
            return x_0
            """
        ),
        partly=("sample_consistency_multistep",),
        statuses=statuses("wrong", "contract"),
    ),
    Row("40_slow_but_right", answers=honest_ema("import time\ntime.sleep(0.3)")),
    Row("43_pollutes_globals", cell="import numpy as np\nnp.seterr(all='raise')\ntorch.set_grad_enabled(False)"),
    Row(
        "44_leaves_graph_and_hooks",
        cell="""
        kept = []
        torch.nn.modules.module.register_module_forward_hook(lambda module, x, y: kept.append(y))
        """,
        answers=honest_ema("kept.append(sum(p.sum() for p in online.parameters()))"),
    ),
    Row("45_os_exit_zero", answers=ema("import os\nos._exit(0)"), lost=("ema_update",), statuses=CRASH),
    Row("45_os_exit_zero_in_cell", cell="import os\nos._exit(0)", warnings=("cell_failed",)),
    Row(
        "45_os_exit_zero_whole", whole=True, answers=ema("import os\nos._exit(0)"), lost=("ema_update",), statuses=CRASH
    ),
    Row(
        "46_segfault",
        answers=ema("import ctypes\nctypes.string_at(0)"),
        lost=("ema_update",),
        statuses=CRASH,
        says="SIGSEGV",
    ),
    Row(
        "46_sigkill",
        answers=ema("import os\nos.kill(os.getpid(), 9)"),
        lost=("ema_update",),
        statuses=CRASH,
        says="SIGKILL",
    ),
    Row(
        "47_kill_everyone",
        answers=ema("import os\nos.kill(-1, 9)\nos.kill(os.getppid(), 9)\nos.kill(1, 9)"),
        lost=("ema_update",),
        statuses=statuses("crash", "blocked", "runtime", "wrong"),
    ),
    Row(
        "47_every_signal_to_the_keeper",
        answers=ema("import os\nfor n in range(1, 65):\n    try: os.kill(1, n)\n    except OSError: pass"),
        lost=("ema_update",),
        statuses=statuses("wrong"),
    ),
    Row(
        "48_fork_bomb",
        answers=ema("import os\nwhile True: os.fork()"),
        lost=("ema_update",),
        statuses=statuses("resource", "timeout"),
    ),
    Row(
        "48_thread_bomb",
        answers=ema("import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(100,)).start()"),
        lost=("ema_update",),
        statuses=statuses("resource"),
    ),
)
