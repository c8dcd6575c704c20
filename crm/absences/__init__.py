"""Leave (2): asked for, decided, handed over to a stand-in who accepts it; nobody is fined for what they could not have kept."""
