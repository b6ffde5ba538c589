"""Generate the parts of workflow/docs that derive from code: configuration, public functions, tables of records."""
