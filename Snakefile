"""From a folder of BraTS MRI to a verified, evaluated 3D U-Net, its figures and a report.

`snakemake --cores N` makes the report and all that it needs; a target's name after `--cores N` stops at that stage.
"""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


# Not workflow.basedir: where this file is imported as a module, that is the folder of the importing Snakefile.
REPOSITORY = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))


include: "workflow/rules/terminal.smk"


configfile: str(REPOSITORY / "config.yaml")


include: "workflow/rules/configuration.smk"
include: "workflow/rules/params.smk"
include: "workflow/rules/cases.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/contents.smk"
include: "workflow/rules/demo.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/normalisation.smk"
include: "workflow/rules/missing.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/scoring.smk"
include: "workflow/rules/segmentation.smk"
include: "workflow/rules/examination.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/viewer.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/provenance.smk"


report: "workflow/report/workflow.rst"


# Targets. `split`, `evaluate` and `report` are targets too: the rules of that name in workflow/rules. Targets name all
# that a user may delete in order to have it made anew, a refused checkpoint for instance: Snakemake does not miss a file
# that lies between others.
rule validate:
    """Check every case, and the cohort as a whole."""
    input:
        verdict_files,
        preview_files,
        rules.manifest.output,
        rules.cohort_page.output,
        rules.check_cohort.output,


rule normalise:
    """Crop and normalise the usable cases."""
    input:
        rules.check_cohort.output,
        normalised_batches,


rule train:
    """Train, and keep the checkpoints of all folds."""
    input:
        CHECKPOINTS,


rule verify:
    """Check each checkpoint, and export the selected one as the model."""
    input:
        CHECKPOINTS,
        VERIFICATIONS,
        expand(rules.select_checkpoint.output, fold=FOLDS),


rule figures:
    """Draw all figures."""
    input:
        CHECKPOINTS,
        FIGURE_FILES,
        rules.case_strips.output,


rule onnx:
    """Export the models as ONNX files, for other runtimes."""
    input:
        expand(rules.export_onnx.output, fold=FOLDS),


rule help:
    """List the targets that people use first."""
    input:
        listed_targets,


rule all:
    """Make the report and all results beside it."""
    default_target: True
    input:
        name_missing,
        CHECKPOINTS,
        VERIFICATIONS,
        expand(rules.select_checkpoint.output, fold=FOLDS),
        expand(rules.predict.output, fold=FOLDS),
        rules.evaluate.output,
        EXAMINATIONS,
        FIGURE_FILES,
        rules.case_strips.output,
        VIEWER,
        rules.cohort_page.output,
        rules.report.output,
        rules.model_card.output,
        rules.provenance.output,
