"""Reports that are owed (5.5.5): prepared by the program, submitted by a person, received by the next, frozen as submitted."""
