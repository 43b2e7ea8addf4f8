"""What each of the sixteen systems prints, as badly as it does."""
