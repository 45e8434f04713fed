"""The sections of the page: a module that builds each, and its template beside it."""
