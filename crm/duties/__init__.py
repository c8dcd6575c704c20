"""The spine: what happened (Event), what that obliges whom to do by when (Duty), and the rulebook that says so."""
