"""Figures as text: numbers, names of metrics, table cells, sentences with a verdict."""
