"""The one page that shows what was run and what came of it."""
