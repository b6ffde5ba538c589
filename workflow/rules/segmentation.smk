"""Segment new patients, who have no masks, with existing models; nothing is trained.

Needs: segment.cases, models. Makes: results/segmentations (segmentations.html, volumes.tsv, and
for each patient {case}.nii.gz, {case}.png and {case}.html).
"""


include: "segmentation_patients.smk"


rule segment_batch:
    """Segment a shard of the new patients, and report those that cannot be segmented."""
    input:
        changed=changed_patient_files,
        incomplete=incomplete_shard,
    output:
        directory("results/segmented/{batch}"),
    log:
        "results/logs/segment_batch/{batch}.log",
    benchmark:
        "results/benchmarks/segment_batch/{batch}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=16000, runtime=240),
        gpu=GPUS,
    params:
        **SEGMENTATION_PARAMS,
        root=lambda wildcards: patient_plan().folder,
        cases=lambda wildcards: [case_to_json(patient) for patient in patients_by_shard()[wildcards.batch]],
    shell:
        'python "$SCRIPTS/segment_batch.py" --root {params.root:q} --cases {params.cases:q} --task "$TASK"'
        " --models {params.models:q} --settings {params.settings:q} --output {output:q} --log {log:q}"


rule segment_prepared:
    """Segment a prepared patient on the grid of the atlas."""
    input:
        images=of_patient(rules.convert),
        coregistered=of_patient(rules.coregister),
        brain=of_patient(rules.extract_brain),
        atlas=of_patient(rules.to_atlas),
    output:
        directory("results/prepared/{patient}/segmented"),
    log:
        "results/logs/prepared/{patient}/segment_prepared.log",
    benchmark:
        "results/benchmarks/prepared/{patient}/segment_prepared.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["training"]["threads"]
    resources:
        **scaled(mem_mb=16000, runtime=60),
        gpu=GPUS,
    params:
        **SEGMENTATION_PARAMS,
    shell:
        'python "$SCRIPTS/segment_batch.py" --prepared "results/prepared/"{wildcards.patient:q} --task "$TASK"'
        " --models {params.models:q} --settings {params.settings:q} --output {output:q} --log {log:q}"


rule segment:
    """Segment new patients: masks, pictures, volumes and pages."""
    input:
        shards=lambda wildcards: expand("results/segmented/{batch}", batch=patients_by_shard()),
        native=lambda wildcards: expand("results/prepared/{patient}/native", patient=sources_to_prepare()),
        incomplete=incomplete_segmentations,
    output:
        directory("results/segmentations"),
    log:
        "results/logs/segment.log",
    benchmark:
        "results/benchmarks/segment.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=1000, runtime=30),
    params:
        prepared=lambda wildcards: expand("results/prepared/{patient}", patient=sources_to_prepare()),
        visits=lambda wildcards: json.dumps(patient_plan().visits(), sort_keys=True, separators=(",", ":")),
        settings=settings(**select_keys("figures", "colours")),
        code=code("segment"),
    shell:
        'python "$SCRIPTS/segment.py" --shards {input.shards:q} --prepared {params.prepared:q}'
        " --visits {params.visits:q} --settings {params.settings:q} --output {output:q} --log {log:q}"
