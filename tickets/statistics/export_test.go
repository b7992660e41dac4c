package statistics

import "fmt"

// Statements is every statement of the measures, to be prepared against the schema.
func Statements() map[string]string {
	out := map[string]string{
		"past tickets": pastTicketsSQL, "past events": pastEventsSQL, "past clocks": pastClocksSQL, "past assignments": pastAssignmentsSQL, "past appeals": pastAppealsSQL,
		"past repeats": pastRepeatsSQL, "upsert facts": upsertFactsSQL, "upsert talks": upsertTalksSQL, "upsert sums": upsertSumsSQL, "read facts": readFactsSQL,
		"read talks": readTalksSQL, "delete facts": deleteFactsSQL, "followers": followersSQL, "lock state": lockStateSQL, "write state": writeStateSQL,
		"changed tickets": changedTicketsSQL, "overdue tickets": overdueTicketsSQL, "unequal tickets": unequalTicketsSQL, "newest event": newestEventSQL,
		"changed talks": changedTalksSQL, "overdue talks": overdueTalksSQL, "newest message": newestMessageSQL, "next tickets": nextTicketsSQL, "next talks": nextTalksSQL,
		"public facts": publicFactsSQL, "confidential": confidentialSQL, "first day": firstDaySQL,
		"size": sizeSQL, "orphans": orphansSQL, "past talks": pastTalksSQL, "past said": pastSaidSQL,
		"published": publishedSQL, "published full": publishedFullSQL, "publish": publishSQL, "published old": publishedOldSQL,
	}
	for i, sql := range rebuildSumsSQL {
		out[fmt.Sprintf("rebuild %d", i)] = sql
	}
	return out
}

// RebuildSumsSQL writes the sums from the facts.
var RebuildSumsSQL = rebuildSumsSQL
