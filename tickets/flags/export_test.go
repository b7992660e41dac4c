package flags

// Statements is every statement of the package with columns of its own, to be prepared against the schema.
var Statements = []string{insertSQL, insertEventSQL, ofSQL(`contact_kin($1)`), ofSQL(`$1`), filedSQL(`contact_kin($1)`), filedSQL(`$1`), callerSQL, flagSQL, listSQL, proposalsSQL, repeatsSQL, proposeSQL}
