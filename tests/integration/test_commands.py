"""The commands that Snakemake prints are short and can be run by hand."""

import re
import subprocess


def commands(finished, tmp_path, *rules):
    """Return a copy of a finished run, and the script of each command that would run it again."""
    workflow = finished.copy(tmp_path / "copy")
    output = workflow.run(*rules, options=("--dry-run", "--printshellcmds", "--forceall")).stdout
    return workflow, dict(re.findall(r"^Shell command: (python \"\$SCRIPTS/(\w+)\.py\".*)$", output, re.MULTILINE))


def test_commands_are_short_and_contain_short_settings_in_full(finished, tmp_path):
    _, found = commands(finished, tmp_path)
    assert len(found) > 25
    assert max(map(len, found)) < 2000
    (card,) = [command for command, script in found.items() if script == "model_card"]
    assert '"base_channels": 2' in card


def test_a_printed_command_runs_by_hand(finished, tmp_path):
    workflow, found = commands(finished, tmp_path)
    for script, output in (("report", "report.html"), ("check_cohort", "cohort/check.json")):
        (command,) = [command for command, name in found.items() if name == script]
        file = workflow.results / output
        before = len(file.read_bytes())
        file.unlink()
        shell = ["env", "-i", "bash", "-euc", f". .snakemake/environment.sh; {command}"]
        completed = subprocess.run(shell, cwd=workflow.folder, stderr=subprocess.PIPE, text=True, check=False)
        assert completed.returncode == 0, completed.stderr
        assert abs(len(file.read_bytes()) - before) < 200  # times and machine differ in the report
