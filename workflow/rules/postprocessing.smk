"""Choose post-processing by cross-fitting on the held-out cases of all folds.

Needs: models, normalised cases, raw masks; cohort.folds of 2 or more. Makes: results/postprocessing (candidates.csv,
gains.csv, choice.yaml) and, if the section `prediction` post-processes, predictions without that in its sub-folder.
"""

from tumorseg.configuration.postprocessing_candidates import no_postprocessing

UNPROCESSED = {**config["prediction"], **no_postprocessing(TASK), "probabilities": False}


rule predict_unprocessed:
    """Segment the held-out cases of a fold as `predict` does, but without post-processing."""
    input:
        model=rules.select_checkpoint.output.model,
        selection=rules.select_checkpoint.output.selection,
        normalised=normalised_shards,
        data=rules.training_data.output,
        splits=rules.split.output,
        incomplete=incomplete_unprocessed,
    output:
        masks=directory("results/postprocessing/predictions/fold-{fold}"),
        record="results/postprocessing/predictions/fold-{fold}.json",
    log:
        "results/logs/predict_unprocessed/fold-{fold}.log",
    benchmark:
        "results/benchmarks/predict_unprocessed/fold-{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=16000, runtime=240),
        gpu=GPUS,
    params:
        settings=settings(prediction=UNPROCESSED, execution=EXECUTION),
        task=TASK_FACTS,
        code=code("predict"),
    shell:
        'python "$SCRIPTS/predict.py" --model {input.model:q} --selection {input.selection:q}'
        " --normalised {input.normalised:q} --data {input.data:q} --splits {input.splits:q} --fold {wildcards.fold}"
        ' --task "$TASK" --settings {params.settings:q} --output {output.masks:q} --record {output.record:q}'
        " --log {log:q}"


# The predictions themselves, unless they are post-processed.
IS_POSTPROCESSED = any(config["prediction"][key] != value for key, value in no_postprocessing(TASK).items())
BEFORE_POSTPROCESSING = rules.predict_unprocessed.output if IS_POSTPROCESSED else rules.predict.output


rule postprocessing:
    """Choose post-processing by cross-validation."""
    input:
        several_folds=require_several_folds,
        predictions=expand(BEFORE_POSTPROCESSING.masks, fold=FOLDS),
        records=expand(BEFORE_POSTPROCESSING.record, fold=FOLDS),
        validation_results=validation_result_files,
        splits=rules.split.output,
    output:
        candidates="results/postprocessing/candidates.csv",
        gains="results/postprocessing/gains.csv",
        choice="results/postprocessing/choice.yaml",
    log:
        "results/logs/postprocessing.log",
    benchmark:
        "results/benchmarks/postprocessing.tsv"
    conda:
        "../../envs/light.yaml"
    threads: 4
    resources:
        **scaled(mem_mb=4000, runtime=240),
    params:
        settings=settings(
            postprocessing=config["postprocessing"],
            evaluation=select_keys("evaluation", "confidence", "bootstrap_samples", "seed"),
        ),
        task=TASK_FACTS,
        code=code("postprocessing"),
    shell:
        'python "$SCRIPTS/postprocessing.py" --root "$COHORT" --validation-results {input.validation_results:q}'
        ' --predictions {input.predictions:q} --splits {input.splits:q} --settings {params.settings:q} --task "$TASK"'
        " --processes {threads} --candidates {output.candidates:q} --gains {output.gains:q}"
        " --choice {output.choice:q} --log {log:q}"
