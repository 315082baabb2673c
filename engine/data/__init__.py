"""Training examples: corpora, defects, refactorings, history."""
