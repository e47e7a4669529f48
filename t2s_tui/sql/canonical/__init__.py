"""The canonical form of a query: rules that each keep its meaning, in the order in which they are applied."""
