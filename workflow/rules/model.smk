"""Files that accompany the models: the model card and, on request, ONNX exports.

Needs: models, manifest, splits, scores. Makes: results/model/README.md (the model card) and, by the target `onnx`,
results/model/fold-{fold}.onnx.
"""


rule export_onnx:
    """Export a model to ONNX."""
    input:
        model=rules.select_checkpoint.output.model,
        selection=rules.select_checkpoint.output.selection,
    output:
        "results/model/fold-{fold}.onnx",
    log:
        "results/logs/export_onnx/fold-{fold}.log",
    benchmark:
        "results/benchmarks/export_onnx/fold-{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        **scaled(mem_mb=4000, runtime=10),
    params:
        task=TASK_FACTS,
        code=code("export_onnx"),
    shell:
        'python "$SCRIPTS/export_onnx.py" --model {input.model:q} --selection {input.selection:q}'
        ' --fold {wildcards.fold} --task "$TASK" --output {output:q} --log {log:q}'


rule model_card:
    """Write the model card: what the models are, their training data, their scores and their limits."""
    input:
        manifest=rules.manifest.output,
        check=rules.check_cohort.output,
        splits=rules.split.output,
        summary=rules.evaluate.output.summary,
        selection=expand(rules.select_checkpoint.output.selection, fold=FOLDS),
        models=expand(rules.select_checkpoint.output.model, fold=FOLDS),
    output:
        report("results/model/README.md", **report_entry("model_card", "Model", "model card", "text")),
    log:
        "results/logs/model_card.log",
    benchmark:
        "results/benchmarks/model_card.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        configuration=model_card_configuration,
        task=task_json,
        code=code("model_card"),
    shell:
        'python "$SCRIPTS/model_card.py" --manifest {input.manifest:q} --check {input.check:q}'
        " --splits {input.splits:q} --summary {input.summary:q} --selection {input.selection:q}"
        ' --models {input.models:q} --task "$TASK" --configuration {params.configuration:q} --output {output:q}'
        " --log {log:q}"
