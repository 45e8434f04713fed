"""The plots of the page; each function returns an `<svg>` element."""
