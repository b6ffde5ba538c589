"""The pages of workflow/docs, as far as they derive from code: configuration, public functions, tables of records."""
