"""One module for each figure: its record and its function `draw`, see `figure_record.FigureRecord`.

Each figure has a small module of its own for two reasons. First, the digest of the code behind a rule follows imports,
so an edited figure does not redraw the others. Second, planning a run imports all records but not matplotlib, which
`draw` imports when it is called.
"""
