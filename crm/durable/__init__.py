"""Made to last: backups taken while others work, restoring one into an empty place, and checking what is there."""
