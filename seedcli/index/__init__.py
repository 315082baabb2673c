"""What a repository defines, uses and says, kept between runs outside the repository."""
