"""From a folder of BraTS MRI to a verified, evaluated 3D U-Net, its figures and a report.

Without a target, `snakemake` makes all results except those of `postprocessing`, `segment`, `score`, `learning_curve`
and `onnx`. With a target, such as `snakemake train`, it stops after that stage.
"""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


# Not workflow.basedir: in an imported module that is the folder of the importing Snakefile.
REPOSITORY = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))


include: "workflow/rules/terminal.smk"


configfile: str(REPOSITORY / "config.yaml")


include: "workflow/rules/configuration.smk"
include: "workflow/rules/params.smk"
include: "workflow/rules/cases.smk"
include: "workflow/rules/learning_curve_points.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/changed_files.smk"
include: "workflow/rules/demo.smk"
include: "workflow/rules/cohort.smk"
include: "workflow/rules/preparation.smk"
include: "workflow/rules/cohort_preparation.smk"
include: "workflow/rules/normalisation.smk"
include: "workflow/rules/synthetic.smk"
include: "workflow/rules/missing_results.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/postprocessing.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/scoring.smk"
include: "workflow/rules/segmentation.smk"
include: "workflow/rules/analyses.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/learning_curve.smk"
include: "workflow/rules/viewer.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/provenance.smk"


report: "workflow/report/workflow.rst"


# Targets. More are defined in workflow/rules: `split`, `evaluate`, `report`, `provenance`, `postprocessing`, `segment`,
# `score`. A target lists every file that a user may delete to make it again, such as a refused checkpoint: Snakemake
# does not notice a missing intermediate file.
rule validate:
    """Validate every case, and check the cohort as a whole."""
    input:
        validation_result_files,
        preview_files,
        rules.manifest.output,
        rules.cohort_page.output,
        rules.check_cohort.output,


rule normalise:
    """Crop and normalise the usable cases."""
    input:
        rules.check_cohort.output,
        normalised_shards,


rule train:
    """Train the networks of all folds."""
    input:
        CHECKPOINTS,


rule verify:
    """Verify every checkpoint, and export the selected one as the model."""
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


rule learning_curve:
    """Train on subsets of the cases, to show how many are needed."""
    input:
        rules.learning_curve_subsets.output,
        curve_files("model/fold-{fold}.safetensors", fold=FOLDS),
        curve_files("model/fold-{fold}.json", fold=FOLDS),
        curve_files("cases.csv"),
        rules.learning_curve_table.output,
        rules.figure_dice_by_training_cases.output,


rule onnx:
    """Export the models to ONNX."""
    input:
        expand(rules.export_onnx.output, fold=FOLDS),


rule help:
    """List the targets that people use first."""
    input:
        help_input,


rule all:
    """Make the report and all other results."""
    default_target: True
    input:
        report_missing,
        CHECKPOINTS,
        VERIFICATIONS,
        expand(rules.select_checkpoint.output, fold=FOLDS),
        expand(rules.predict.output, fold=FOLDS),
        rules.evaluate.output,
        rules.reliability.output,
        ANALYSES,
        FIGURE_FILES,
        rules.case_strips.output,
        VIEWER,
        rules.cohort_page.output,
        rules.report.output,
        rules.model_card.output,
        rules.provenance.output,
