"""Text of many languages as definitions, references and imports. Knows nothing of files."""
