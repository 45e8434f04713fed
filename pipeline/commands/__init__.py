"""The commands of `heed`, a module for each kind."""
