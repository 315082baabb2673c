"""Recipes: named instructions as text files, and the code that loads and renders them. Standard library only."""
