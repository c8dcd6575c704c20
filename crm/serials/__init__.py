"""What is installed where, until when it is served, and who is therefore in service."""
