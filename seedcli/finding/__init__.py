"""What is edited where no target says so, or beyond what targets say."""
