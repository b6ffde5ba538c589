"""Score masks of any tool against references; no cohort and no training is needed.

Needs: folders of masks. Makes: results/scores/scores.html and table.{csv,tex}; results/scores/{cases.csv,summary.json},
with evaluation.challenge_2026 also {cases_2026.csv,summary_2026.json}; with several folders of predictions, a folder with
these files for each, and results/scores/comparison.{csv,json} (and comparison_2026.{csv,json}).
"""


include: "scoring_masks.smk"


rule score:
    """Score folders of masks against references, and compare the folders if there are several."""
    output:
        scores=score_files("cases.csv"),
        summaries=score_files("summary.json"),
        scores_2026=score_files("cases_2026.csv") if SETTINGS.evaluation.challenge_2026 else [],
        summaries_2026=score_files("summary_2026.json") if SETTINGS.evaluation.challenge_2026 else [],
        comparison=comparison_files("comparison"),
        comparison_2026=comparison_files("comparison_2026") if SETTINGS.evaluation.challenge_2026 else [],
        paper_tables=["results/scores/table.csv", "results/scores/table.tex"],
        page="results/scores/scores.html",
    log:
        "results/logs/score.log",
    benchmark:
        "results/benchmarks/score.tsv"
    conda:
        "../../envs/light.yaml"
    threads: 4
    resources:
        **scaled(mem_mb=4000, runtime=120),
    params:
        predictions=prediction_folders(),
        references=SETTINGS.score.references,
        # Digests, not inputs: Snakemake compares dates, and would miss a file that an older one replaces.
        masks_digest=lambda wildcards: scored_masks_digest(),
        patient_table=PATIENT_TABLE,
        patient_table_digests=lambda wildcards: [file_digest_or_none(Path(table)) for table in PATIENT_TABLE],
        settings=settings(
            **select_keys("evaluation", "surface_tolerance_mm", "confidence", "bootstrap_samples", "seed")
        ),
        colours=settings(**select_keys("figures", "colours")),
        baseline=lambda wildcards: SETTINGS.score.baseline or [],
        task=task_json,
        other_tasks=task_signs_digest(),
        labels=SETTINGS.cohort.labels,
        label_maps=lambda wildcards: json.dumps(score_label_maps(config["score"], TASK), sort_keys=True),
        max_voxels=SETTINGS.cohort.max_voxels,
        patient_pattern=lambda wildcards: [] if PATIENT_PATTERN is None else [f"--patient={PATIENT_PATTERN}"],
        code=code("score"),
    shell:
        'python "$SCRIPTS/score.py" --references {params.references:q} --predictions {params.predictions:q}'
        ' --task "$TASK" --labels {params.labels} --label-maps {params.label_maps:q} --settings {params.settings:q}'
        " --max-voxels {params.max_voxels} {params.patient_pattern:q} --patient-table {params.patient_table:q}"
        " --processes {threads} --scores {output.scores:q} --summaries {output.summaries:q}"
        " --scores-2026 {output.scores_2026:q} --summaries-2026 {output.summaries_2026:q}"
        " --comparison {output.comparison:q} --comparison-2026 {output.comparison_2026:q}"
        " --baseline {params.baseline:q} --paper-tables {output.paper_tables:q} --page {output.page:q}"
        " --colours {params.colours:q} --clear results/scores --log {log:q}"
