"""Validate the cases, and split the usable ones.

Needs: the folder of cases. Makes: the validation result and a preview of each case (results/cohort/verdicts, previews),
the manifest of all cases, a page about them (cohort.html), a check of the cohort as a whole, and the splits.
"""


rule validate_batch:
    """Validate a shard of the cases: read every file to its last byte and list the problems of each case."""
    input:
        demo=demo_files,
        changed=changed_files,
    output:
        validation_results="results/cohort/verdicts/{batch}.json",
        previews="results/cohort/previews/{batch}.safetensors",
    log:
        "results/logs/validate_batch/{batch}.log",
    wildcard_constraints:
        batch=r"batch-\d+",
    cache: True
    conda:
        "../../envs/light.yaml"
    resources:
        # float64 volumes of the default cohort.max_voxels need 1.1 GB, BraTS volumes 0.1 GB
        **scaled(mem_mb=1500, runtime=60),
    params:
        cases=shard_cases,
        files=raw_file_identities,
        settings=settings(**select_keys("cohort", "labels", "shape", "max_voxels", "empty_masks")),
        task=validation_task,
        code=code("validate_batch"),
    shell:
        'python "$SCRIPTS/validate_batch.py" --root "$COHORT" --cases {params.cases:q} --task "$TASK"'
        " --settings {params.settings:q} --output {output.validation_results:q} --previews {output.previews:q}"
        " --log {log:q}"


rule manifest:
    """Write the manifest: one row per case, with the reason if the case is dropped."""
    input:
        validation_results=validation_result_files,
    output:
        report("results/cohort/manifest.tsv", **report_entry("manifest", "Cohort", "manifest", "table")),
    log:
        "results/logs/manifest.log",
    benchmark:
        "results/benchmarks/manifest.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        settings=settings(patient=PATIENT_PATTERN),
        patient_table=PATIENT_TABLE,
        patient_table_digests=lambda wildcards: [file_digest_or_none(Path(table)) for table in PATIENT_TABLE],
        samples=lambda wildcards: [SETTINGS.cohort.samples] if sheet_patients() else [],
        sample_patients=lambda wildcards: json.dumps(sheet_patients(), sort_keys=True),
        exclude=lambda wildcards: user_exclude_file(),
        exclude_digests=lambda wildcards: [file_digest_or_none(Path(file)) for file in user_exclude_file()],
        task=TASK_FACTS,
        code=code("manifest"),
    shell:
        'python "$SCRIPTS/manifest.py" --validation-results {input.validation_results:q} --task "$TASK"'
        " --settings {params.settings:q} --patient-table {params.patient_table:q} --samples {params.samples:q}"
        " --exclude {params.exclude:q} --output {output:q} --log {log:q}"


rule cohort_page:
    """Write a self-contained page that shows every case with its problems and warnings."""
    input:
        manifest=rules.manifest.output,
        validation_results=validation_result_files,
        previews=preview_files,
    output:
        report("results/cohort/cohort.html", **report_entry("cohort", "Cohort", "every case", "page")),
    log:
        "results/logs/cohort_page.log",
    benchmark:
        "results/benchmarks/cohort_page.tsv"
    priority: 1  # before check_cohort, which is ready at the same time and may stop the run
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        settings=settings_with_patient_source(**select_keys("figures", "colours")),
        task=task_json,
        code=code("cohort_page"),
    shell:
        'python "$SCRIPTS/cohort_page.py" --manifest {input.manifest:q}'
        " --validation-results {input.validation_results:q} --previews {input.previews:q}"
        ' --task "$TASK" --settings {params.settings:q} --output {output:q} --log {log:q}'


rule check_cohort:
    """Stop if the cohort as a whole is unusable; the manifest remains."""
    input:
        manifest=rules.manifest.output,
    output:
        "results/cohort/check.json",
    log:
        "results/logs/check_cohort.log",
    benchmark:
        "results/benchmarks/check_cohort.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        settings=settings_with_patient_source(**select_keys("cohort", "labels", "expected_usable")),
        task=TASK_FACTS,
        code=code("check_cohort"),
    shell:
        'python "$SCRIPTS/check_cohort.py" --manifest {input.manifest:q} --task "$TASK" --settings {params.settings:q}'
        " --output {output:q} --log {log:q}"


SPLIT_KEYS = ["folds"] if SETTINGS.cohort.split_file else ["folds", "validation_fraction", "seed"]


rule split:
    """Assign the cases to folds, patient by patient."""
    input:
        manifest=rules.manifest.output,
        check=rules.check_cohort.output,
        checked=require_valid_split_file,
    output:
        report("results/cohort/splits.tsv", **report_entry("splits", "Cohort", "split", "table")),
    log:
        "results/logs/split.log",
    benchmark:
        "results/benchmarks/split.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=10),
    params:
        split_file=lambda wildcards: user_split_file(),
        digests=lambda wildcards: [file_digest_or_none(Path(file)) for file in user_split_file()],
        settings=settings(**select_keys("cohort", *SPLIT_KEYS)),
        task=TASK_FACTS,
        code=code("split"),
    shell:
        'python "$SCRIPTS/split.py" --manifest {input.manifest:q} --task "$TASK" --settings {params.settings:q}'
        " --split-file {params.split_file:q} --output {output:q} --log {log:q}"
