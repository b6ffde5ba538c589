"""Train with one job from each checkpoint to the next, and verify each checkpoint.

Needs: normalised and synthetic cases, validation results, splits. Makes: results/training/fold-{fold} (data.json,
checkpoints, their records and verifications, history.csv, selection.json) and the exported model,
results/model/fold-{fold}.safetensors.
"""


include: "training_epochs.smk"
include: "training_settings.smk"


rule training_data:
    """List the normalised files of a fold with their digests; each checkpoint is bound to this list."""
    input:
        normalised=normalised_shards,
        synthetic=SYNTHETIC_FOLDERS,
        validation_results=validation_result_files,
        splits=rules.split.output,
    output:
        "results/training/fold-{fold}/data.json",
    log:
        "results/logs/training_data/fold-{fold}.log",
    benchmark:
        "results/benchmarks/training_data/fold-{fold}.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        simulated=simulated_cases,
        code=code("training_data"),
    shell:
        'python "$SCRIPTS/training_data.py" --normalised {input.normalised:q}'
        " --synthetic {input.synthetic:q} --simulated {params.simulated:q}"
        " --validation-results {input.validation_results:q} --splits {input.splits:q} --fold {wildcards.fold}"
        " --output {output:q} --log {log:q}"


rule train_epoch:
    """Train from one checkpoint to the next."""
    input:
        normalised=normalised_shards,
        synthetic=SYNTHETIC_FOLDERS,
        data=rules.training_data.output,
        previous=previous_checkpoint,
        done=previous_done,
    output:
        checkpoint="results/training/fold-{fold}/epoch-{epoch}.pt",
        record="results/training/fold-{fold}/epoch-{epoch}.json",
        # Not touch(), whose files the between-workflow cache cannot move.
        done="results/training/fold-{fold}/epoch-{epoch}.done",
    log:
        "results/logs/train_epoch/fold-{fold}-epoch-{epoch}.log",
    cache: True
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=24000, runtime=720),
        gpu=GPUS,
    params:
        # The key of the between-workflow cache includes params, but not wildcards.
        fold="{fold}",
        epoch="{epoch}",
        # The key does not include resources either. This param uses resources, so it triggers no rerun; `start_state`
        # refuses a checkpoint from another number of processes.
        processes=lambda wildcards, resources: resources.gpu,
        recipe=recipe,
        task=TASK_FACTS,
        code=TRAINING_CODE,
    shell:
        'python "$SCRIPTS/train_epoch.py" --normalised {input.normalised:q} --data {input.data:q} --fold {params.fold}'
        " --synthetic {input.synthetic:q}"
        ' --epoch {params.epoch} --previous {input.previous:q} --recipe {params.recipe:q} --task "$TASK"'
        ' --start-from "$START_FROM"'
        ' --processes {params.processes} --output {output.checkpoint:q} --log {log:q} --tensorboard "$EVENTS"'
        " && touch {output.done:q}"


rule verify_checkpoint:
    """Read a checkpoint from disk and write whether it is valid."""
    input:
        checkpoint=rules.train_epoch.output.checkpoint,
        record=rules.train_epoch.output.record,
        data=rules.training_data.output,
    output:
        "results/training/fold-{fold}/epoch-{epoch}.verification.json",
    log:
        "results/logs/verify_checkpoint/fold-{fold}-epoch-{epoch}.log",
    benchmark:
        "results/benchmarks/verify_checkpoint/fold-{fold}-epoch-{epoch}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        **scaled(mem_mb=4000, runtime=30),
    params:
        recipe=recipe,
        task=TASK_FACTS,
        code=code("verify_checkpoint"),
    shell:
        'python "$SCRIPTS/verify_checkpoint.py" --checkpoint {input.checkpoint:q} --data {input.data:q} --task "$TASK"'
        " --fold {wildcards.fold} --epoch {wildcards.epoch} --recipe {params.recipe:q} --output {output:q}"
        " --log {log:q}"


rule select_checkpoint:
    """Select one of the valid epochs, list the refused ones, and export the model."""
    input:
        checkpoints=lambda wildcards: checkpoint_files(wildcards.fold),
        records=lambda wildcards: checkpoint_files(wildcards.fold, "json"),
        verifications=lambda wildcards: checkpoint_files(wildcards.fold, "verification.json"),
        check=rules.check_cohort.output,
        validation_results=validation_result_files,
        splits=rules.split.output,
    output:
        selection=report(
            "results/training/fold-{fold}/selection.json",
            **report_entry("selection", "Training", "choice of fold {fold}", "JSON"),
        ),
        history=report(
            "results/training/fold-{fold}/history.csv",
            **report_entry("history", "Training", "history of fold {fold}", "table"),
        ),
        model="results/model/fold-{fold}.safetensors",
    log:
        "results/logs/select_checkpoint/fold-{fold}.log",
    benchmark:
        "results/benchmarks/select_checkpoint/fold-{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        **scaled(mem_mb=4000, runtime=10),
    params:
        settings=settings(
            **config["checkpoint"],
            normalisation=config["normalisation"],
            demo=bool(config["demo"]),
            input_shape=config["training"]["input_shape"],
        ),
        task=task_json,
        code=code("select_checkpoint"),
    shell:
        'python "$SCRIPTS/select_checkpoint.py" --verifications {input.verifications:q} --check {input.check:q}'
        " --validation-results {input.validation_results:q} --splits {input.splits:q} --fold {wildcards.fold}"
        ' --task "$TASK" --settings {params.settings:q}'
        " --selection {output.selection:q} --history {output.history:q}"
        " --model {output.model:q} --log {log:q}"


CHECKPOINTS = [file for fold in FOLDS for file in checkpoint_files(fold)]
VERIFICATIONS = [file for fold in FOLDS for file in checkpoint_files(fold, "verification.json")]
