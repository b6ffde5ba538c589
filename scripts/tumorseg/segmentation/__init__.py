"""New patients, without masks: checked, segmented, shown and measured."""
