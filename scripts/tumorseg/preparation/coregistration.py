"""The step coregister: register one channel of a patient to the reference channel."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from tumorseg.preparation.prepared_files import channel_path, image_of, matrix_to_json, pass_on_failure, read_prepared
from tumorseg.preparation.reference import reference_channel
from tumorseg.preparation.registration import register_rigid
from tumorseg.preparation.registration_checks import judge_coregistration
from tumorseg.preparation.registration_quality import measure_registration
from tumorseg.preparation.step_record import RECORD_FILE, StepRecord, read_step_record
from tumorseg.task import Task

STEP: Final = "coregister"


def coregister(images: Path, channel: str, task: Task) -> StepRecord:
    """Return the record of the registration of a channel to the reference channel of its patient.

    Its facts are `channel`, and either `absent` (true) or `reference` (the channel), `matrix` (from the reference image
    to the channel, in millimetres, RAS), `start` and the measurements of `RegistrationQuality`. The reference channel
    itself has the identity and no measurements.

    Args:
        images: folder of the rule convert.
        channel: channel of the task; the patient may lack it.
        task: task of the patient.

    Raises:
        CorruptedFileError: a file of the folder is missing or corrupted.
    """
    converted = read_step_record(images / RECORD_FILE)
    if failed := pass_on_failure([converted], STEP):
        return failed
    present = [name for name in task.channel_names if channel_path(images, name).is_file()]
    if channel not in present:
        return StepRecord(converted.case, STEP, facts={"channel": channel, "absent": True})
    reference = reference_channel(task, present)
    facts: dict[str, Any] = {"channel": channel, "reference": reference}
    if channel == reference:
        return StepRecord(converted.case, STEP, facts={**facts, "matrix": matrix_to_json(np.eye(4))})
    fixed, moving = (image_of(read_prepared(channel_path(images, name))) for name in (reference, channel))
    found = register_rigid(fixed, moving)
    quality = measure_registration(fixed, moving, found.matrix)
    titles = task.channel_titles
    problems, warnings = judge_coregistration(quality, titles[channel], titles[reference], converted.case)
    facts |= {"matrix": matrix_to_json(found.matrix), "start": found.start, **quality.facts()}
    return StepRecord(converted.case, STEP, problems, warnings, facts)
