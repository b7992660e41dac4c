package surges

// Statements is every statement of the package with columns of its own, to be prepared against the schema.
var Statements = []string{countArrivalsSQL, weeksSQL, listSQL, surgeSQL, behindSQL, acknowledgeSQL, massSQL}
