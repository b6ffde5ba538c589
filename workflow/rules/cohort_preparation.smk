"""Prepare the cases of a cohort with their masks, and validate them.

Needs: cohort.prepare, the cohort. Makes: results/prepared_cohort/{patient} with the images and the mask on the grid of
the atlas, and the validation results of these cases. The shards of prepared cases have names of their own.
"""


include: "cohort_preparation_cases.smk"


COHORT_STEPS = f"results/{COHORT_CASES}"


rule prepare_case:
    """Lay out the images of a case on the atlas with its mask."""
    input:
        images=of_patient(rules.convert, COHORT_CASES),
        coregistered=of_patient(rules.coregister, COHORT_CASES),
        brain=of_patient(rules.extract_brain, COHORT_CASES),
        atlas=of_patient(rules.to_atlas, COHORT_CASES),
        changed=changed_masks,
        incomplete=incomplete_case,
    output:
        directory("results/prepared_cohort/{patient}"),
    log:
        f"results/logs/{COHORT_CASES}/{{patient}}/prepare_case.log",
    benchmark:
        f"results/benchmarks/{COHORT_CASES}/{{patient}}/prepare_case.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=3000, runtime=30),
    params:
        steps=lambda wildcards: f"{COHORT_STEPS}/{wildcards.patient}",
        case=lambda wildcards: case_to_json(prepared_cases()[wildcards.patient]),
        masks=lambda wildcards: list(cohort_plan().masks[wildcards.patient]),
        labels=config["cohort"]["labels"],
        task=validation_task,
        code=code("prepare_case"),
    shell:
        'python "$SCRIPTS/prepare_case.py" --case {params.case:q} --steps {params.steps:q}'
        " --coregistered {input.coregistered:q} --masks {params.masks:q} --labels {params.labels:q}"
        ' --task "$TASK" --output {output:q} --log {log:q}'


rule validate_prepared:
    """Validate a shard of the prepared cases like any cases, and list the problems of their preparation."""
    input:
        cases=prepared_folders,
        changed=changed_files,
    output:
        validation_results="results/cohort/verdicts/{batch}.json",
        previews="results/cohort/previews/{batch}.safetensors",
    log:
        "results/logs/validate_prepared/{batch}.log",
    benchmark:
        "results/benchmarks/validate_prepared/{batch}.tsv"
    wildcard_constraints:
        batch=r"prepared-\d+",
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1500, runtime=60),
    params:
        cases=shard_cases,
        # For the key of the between-workflow cache of later rules: the keys of jobs do not know what a folder holds.
        files=source_identities,
        settings=settings(**select_keys("cohort", "labels", "shape", "max_voxels", "empty_masks")),
        task=validation_task,
        code=code("validate_prepared"),
    shell:
        'python "$SCRIPTS/validate_prepared.py" --cases {params.cases:q} --task "$TASK" --settings {params.settings:q}'
        " --output {output.validation_results:q} --previews {output.previews:q} --log {log:q}"
