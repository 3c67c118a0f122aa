"""The whole bank of recorded answers against the visible checks: what they see, and what they miss for which reason."""

import contextlib
import functools
import re
import warnings

import numpy as np
import pytest
import torch

from autograder.box.ipython import compile_cell, furnish, run_code
from tests.bank import cells, load_bank
from tests.notebooks import COURSE, assignment, blank_notebook, cell

GUIDE = (COURSE / "docs" / "extending.md").read_text(encoding="utf-8")
BANK = load_bank()
TASKS = sorted({record.task for record in BANK})

# What no visible check sees, by the reason that docs/extending.md gives.
MISSED = {
    "It shows only for other batch sizes or numbers of coordinates": """
        noisy_sample: batch_of_one_squeezed first_512_rows_only first_700_rows_only first_two_coordinates_only
            single_point_flattened two_coordinates_only first_times_of_a_batch_size_kept
        teacher_ode_step: batch_of_one_squeezed first_700_rows_only graph_left_in_large_batches teacher_asked_in_parts
            two_coordinates_only
        consistency_distillation_loss: first_700_rows_only halved_for_two_coordinates target_learns_from_single_rows
            three_coordinates_at_most two_coordinates_only
        consistency_training_pair: first_700_rows_only training_batch_only two_coordinates_only
    """,
    "It shows only for other values": """
        noisy_sample: clamped_to_the_picture result_clamped sorted_times unique_times
        teacher_ode_step: small_steps_skipped velocity_clamped
        consistency_distillation_loss: huber_far_out loss_capped lower_levels_mistaken one_row_a_time smoothed_output
        consistency_training_pair: close_levels_as_one levels_kept_apart points_clamped times_clamped
        ema_update: decay_capped decay_clamped decay_floored decay_from_a_table decay_in_percent decay_in_three_digits
            decay_mirrored decay_near_0_4 decay_near_0_6_halved decay_near_0_8 decay_near_one_is_one divides_by_decay
            weights_clamped
    """,
    "It shows only in later calls": """
        noisy_sample: kept_for_the_next_batch kept_for_the_next_large_batch wrong_at_every_seventh_call
        teacher_ode_step: kept_for_the_next_batch velocity_kept_by_batch_size
        consistency_distillation_loss: kept_for_the_next_batch label_kept_by_batch_size
        consistency_training_pair: first_calls_only levels_kept_by_batch_size levels_kept_for_the_next_large_batch
            number_in_later_calls
        ema_update: kept_for_the_next_update online_kept_by_decay
    """,
    "It shows only in a training": """
        noisy_sample: first_calls_only training_batch_only
        teacher_ode_step: first_calls_only network_teacher_only training_batch_only
        consistency_distillation_loss: first_calls_only network_label_only training_batch_only
        ema_update: first_calls_only small_layers_only width_eight_only
    """,
    "It is a matter of precision": """
        noisy_sample: bfloat16_inside float16_inside rounded
        consistency_distillation_loss: float16_inside
        consistency_training_pair: float16_inside
        ema_update: data_becomes_float64
        sample_consistency_multistep: points_in_half_precision
    """,
    "The result is right, and something else has changed": """
        noisy_sample: argument_changed_in_large_batches
        teacher_ode_step: argument_changed_in_large_batches gradient_left_on_the_teacher teacher_holds_gradients
            time_argument_changed
        consistency_distillation_loss: argument_changed argument_changed_in_large_batches gradient_scaled online_changed
            target_changed
        consistency_training_pair: argument_changed_in_large_batches
        ema_update: online_frozen online_scaled_and_back
        sample_consistency_multistep: model_changed model_made_double numpy_seeded_beside numpy_seeded_by_the_clock
            random_seeded_beside reseeds_for_large_batches seeded_by_the_clock
    """,
    "The noise is nearly right": """
        sample_consistency_multistep: coordinates_alike_but_for_signs coordinates_slightly_related
            neighbours_alike noise_centred noise_clamped noise_reshuffled
            noise_shared_by_coordinates spread_exactly_one spread_of_its_own_in_each_coordinate start_in_twins
            start_mirrored start_off_centre start_shared_by_coordinates three_seeds_in_turn
            uniform_renoising_of_unit_variance uniform_start_of_unit_variance
    """,
    "It shows only with another number of jumps or samples": """
        sample_consistency_multistep: averaged_at_eight_steps graph_of_one_jump no_noise_for_small_batches
            noise_reused_late noised_beyond_eight_steps one_row_for_two_thousand start_zeros_from_four_steps
            steps_capped two_samples_at_least weights_wrong_at_four_steps
    """,
}


TRAINING = ("endpoint_error", "recipe", "training_loop", "distillation_pair", "distillation", "test_sample_quality")


def listed(task):
    """Return the names of the answers to a task that the visible check is known to miss."""
    found = [re.search(rf"\b{task}:([\w\s]*)(?=\s\w+:|\Z)", names) for names in MISSED.values()]
    return sorted(name for match in found if match for name in match[1].split())


@functools.cache
def given():
    """Return the cells that every answer needs: the prelude, and the figures' style, which helpers may use."""
    sources = [*assignment().prelude, cell(blank_notebook(), "figure_style")]
    return [compile_cell(each.source, "given") for each in sources]


@contextlib.contextmanager
def world_kept():
    """Put back what an answer may leave changed for everything after it."""
    drawn = np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # in a kernel, no warning is an error
            torch.manual_seed(0)
            yield
    finally:
        np.random.set_state(drawn)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)


def said(record, teacher=None):
    """Return what the visible check of its task says of a recorded answer, "" where it holds.

    With a trained teacher the notebook's training follows, and it is the check of the model's quality that speaks.
    """
    names: dict = {"__name__": "__main__"}
    furnish(names)
    with world_kept():
        for code in given():
            run_code(code, names)
        names["teacher"] = names["ToyModel"](8 if teacher is None else 128).requires_grad_(False)
        if teacher is not None:
            names["teacher"].load_state_dict(teacher)
        for name, source in cells(record, assignment()):
            with contextlib.suppress(Exception):  # what fails leaves its names missing, as in a kernel
                run_code(compile_cell(source, name or "own"), names)
        try:
            for name in (f"test_{record.task}",) if teacher is None else TRAINING:
                run_code(compile_cell(cell(blank_notebook(), name).source, name), names)
        except Exception as raised:
            return f"{type(raised).__name__}: {raised}"
    return ""


@pytest.mark.parametrize("task", TASKS)
def test_visible_check_holds_for_every_right_answer(task):
    """No correct style is refused."""
    right = [record for record in BANK if record.task == task and record.kind == "right"]
    assert right
    assert {record.name: found for record in right if (found := said(record))} == {}


@pytest.mark.parametrize("task", TASKS)
def test_visible_check_sees_all_but_what_is_listed(task):
    """A wrong answer that passes is in the list, with its reason, and one that is seen is not."""
    wrong = [record for record in BANK if record.task == task and record.kind == "wrong"]
    assert sorted(record.name for record in wrong if not said(record)) == listed(task)


def test_guide_gives_each_reason():
    """The reasons stand in the guide for whoever extends the assignment, in the same words."""
    assert [reason for reason in MISSED if f"- **{reason}.**" not in GUIDE] == []


MISTAKES = re.findall(r"^\| (.+?) \| `(\w+)/(\w+)` \| (.+?) \|$", GUIDE, re.MULTILINE)


def test_guide_lists_the_common_mistakes():
    """The table of the guide is read by the test below."""
    assert len(MISTAKES) >= 18


@pytest.mark.parametrize(("mistake", "task", "name", "words"), MISTAKES)
def test_visible_check_names_a_common_mistake(mistake, task, name, words):
    """The visible check says of each common mistake what the guide says it does."""
    [record] = [each for each in BANK if (each.task, each.name) == (task, name)]
    assert words in " ".join(said(record).split())


@pytest.fixture(scope="module")
def teacher():
    """The weights of the notebook's teacher."""
    names: dict = {"__name__": "__main__"}
    for code in given():
        run_code(code, names)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the notebook
    yield names["train_teacher"](seed=0).state_dict()
    torch.set_num_threads(threads)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "name", "words"),
    [
        ("ema_update", "hard_copy", "ema_update first, then train again"),
        ("ema_update", "small_layers_only", "ema_update first, then train again"),
        ("consistency_distillation_loss", "networks_exchanged", "The training has run away"),
        ("consistency_distillation_loss", "network_label_only", "Look again at the four functions"),
        ("teacher_ode_step", "network_teacher_only", "Look again at the four functions"),
        ("teacher_ode_step", "teacher_at_lower_time", ""),  # too little to show, and the check of its own task sees it
        ("noisy_sample", "right_lerp", ""),
    ],
)
def test_visible_check_of_the_quality_sees_what_spoils_the_training(task, name, words, teacher):
    """Named answers trained as in the notebook: the last check of Exercise 3 says what to look at, or holds."""
    [record] = [each for each in BANK if (each.task, each.name) == (task, name)]
    found = said(record, teacher)
    assert words in found
    assert bool(words) == bool(found)
    assert not re.search(r"\d{4}", found)
