"""One file a screen: what a person can do in one place."""
