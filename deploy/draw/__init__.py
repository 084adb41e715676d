"""Pictures of an agreement graph: who is joined to whom on a day, laid out and written as SVG."""
