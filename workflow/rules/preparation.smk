"""Prepare patients: convert, align, extract the brain, transform to the atlas, and bring masks back.

Needs: segment.cases or segment.samples; or the cohort, see cohort_preparation.smk. Makes: results/prepared/{patient} of
new patients, results/cohort/prepared/{patient} of a cohort. A problem of a patient is in the records of the steps, and
does not stop the other patients.
"""


include: "preparation_patients.smk"


wildcard_constraints:
    prepared="|".join(PREPARED_FOLDERS),


rule convert:
    """Choose the images of a patient, and convert them to NIfTI."""
    input:
        changed=changed_source_files,
    output:
        directory("results/{prepared}/{patient}/images"),
    log:
        "results/logs/{prepared}/{patient}/convert.log",
    benchmark:
        "results/benchmarks/{prepared}/{patient}/convert.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=2000, runtime=30),
    params:
        root=lambda wildcards: source_folder(wildcards.prepared),
        source=lambda wildcards: source_to_json(sources_to_prepare(wildcards.prepared)[wildcards.patient]),
        task=preparation_task,
        code=code("convert"),
    shell:
        'python "$SCRIPTS/convert.py" --root {params.root:q} --source {params.source:q} --task "$TASK"'
        " --output {output:q} --log {log:q}"


rule coregister:
    """Register an image of a patient to the reference image."""
    input:
        images=rules.convert.output,
    output:
        "results/{prepared}/{patient}/coregistered/{channel}.json",
    log:
        "results/logs/{prepared}/{patient}/coregister-{channel}.log",
    benchmark:
        "results/benchmarks/{prepared}/{patient}/coregister-{channel}.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=2000, runtime=30),
    params:
        task=preparation_task,
        code=code("coregister"),
    shell:
        'python "$SCRIPTS/coregister.py" --images {input.images:q} --channel {wildcards.channel:q} --task "$TASK"'
        " --output {output:q} --log {log:q}"


rule extract_brain:
    """Find the brain in the reference image of a patient."""
    input:
        images=rules.convert.output,
        coregistered=expand(rules.coregister.output, channel=TASK.channel_names, allow_missing=True),
    output:
        directory("results/{prepared}/{patient}/brain"),
    log:
        "results/logs/{prepared}/{patient}/extract_brain.log",
    benchmark:
        "results/benchmarks/{prepared}/{patient}/extract_brain.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        **scaled(mem_mb=4000, runtime=30),
    params:
        task=preparation_task,
        code=code("extract_brain"),
    shell:
        'python "$SCRIPTS/extract_brain.py" --images {input.images:q} --coregistered {input.coregistered:q}'
        ' --task "$TASK" --threads {threads} --output {output:q} --log {log:q}'


rule to_atlas:
    """Register the brain of a patient to the atlas, and resample all images to its grid."""
    input:
        images=rules.convert.output,
        coregistered=expand(rules.coregister.output, channel=TASK.channel_names, allow_missing=True),
        brain=rules.extract_brain.output,
    output:
        directory("results/{prepared}/{patient}/atlas"),
    log:
        "results/logs/{prepared}/{patient}/to_atlas.log",
    benchmark:
        "results/benchmarks/{prepared}/{patient}/to_atlas.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=3000, runtime=30),
    params:
        atlas=config["segment"]["atlas"],
        atlas_digest=lambda wildcards: atlas_digest(),
        task=preparation_task,
        code=code("to_atlas"),
    shell:
        'python "$SCRIPTS/to_atlas.py" --images {input.images:q} --coregistered {input.coregistered:q}'
        ' --brain {input.brain:q} --atlas {params.atlas:q} --case {wildcards.patient:q} --task "$TASK"'
        " --threads {threads} --output {output:q} --log {log:q}"


rule to_native:
    """Bring the mask of a prepared patient back to the grids of the patient's own images."""
    input:
        images=of_patient(rules.convert),
        coregistered=of_patient(rules.coregister),
        atlas=of_patient(rules.to_atlas),
        masks="results/prepared/{patient}/segmented",
    output:
        directory("results/prepared/{patient}/native"),
    log:
        "results/logs/prepared/{patient}/to_native.log",
    benchmark:
        "results/benchmarks/prepared/{patient}/to_native.tsv"
    conda:
        "../../envs/light.yaml"
    resources:
        **scaled(mem_mb=3000, runtime=30),
    params:
        root=lambda wildcards: source_folder(NEW_PATIENTS),
        channels=config["segment"]["mask_channels"],
        code=code("to_native"),
    shell:
        'python "$SCRIPTS/to_native.py" --case {wildcards.patient:q} --images {input.images:q}'
        " --coregistered {input.coregistered:q} --atlas {input.atlas:q} --masks {input.masks:q}"
        " --sequences reference {params.channels:q} --root {params.root:q} --output {output:q} --log {log:q}"
