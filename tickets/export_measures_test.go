package tickets

import "fmt"

// MeasureSQL is every statement of the measures, to be prepared against the schema.
func MeasureSQL() map[string]string {
	out := map[string]string{
		"past tickets": pastTicketsSQL, "past events": pastEventsSQL, "past clocks": pastClocksSQL, "past assignments": pastAssignmentsSQL, "past appeals": pastAppealsSQL,
		"past repeats": pastRepeatsSQL, "upsert facts": upsertFactsSQL, "upsert talks": upsertTalksSQL, "upsert sums": upsertSumsSQL, "read facts": readFactsSQL,
		"read talks": readTalksSQL, "delete facts": deleteFactsSQL, "followers": followersSQL, "lock state": lockStateSQL, "write state": writeStateSQL,
		"changed tickets": changedTicketsSQL, "overdue tickets": overdueTicketsSQL, "unequal tickets": unequalTicketsSQL, "newest event": newestEventSQL,
		"changed talks": changedTalksSQL, "overdue talks": overdueTalksSQL, "newest message": newestMessageSQL, "next tickets": nextTicketsSQL, "next talks": nextTalksSQL,
		"contacts": contactsSQL, "open data rows": openDataRowsSQL, "open data confidential": openDataConfidentialSQL, "open data files": openDataFilesSQL,
		"open data file": openDataFileSQL, "insert open data": insertOpenDataSQL, "counted": countedSQL, "appeals of": appealsOfSQL, "appeal by id": appealByIDSQL, "appeals": appealsSQL, "insert appeal": insertAppealSQL, "decide appeal": decideAppealSQL,
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

// OpenRow is a row of the open data on its way, for the test of coarsening.
type OpenRow struct{ Area, Category, Kind, Channel, Agency string }

// Coarsen makes rows coarser until at least k are alike.
func Coarsen(rows []OpenRow, k int, t Trees) (out []OpenRow, leftOut int) {
	in := make([]openRow, len(rows))
	for i, r := range rows {
		in[i] = openRow{area: r.Area, category: r.Category, kind: r.Kind, channel: r.Channel, agency: r.Agency}
	}
	kept, leftOut := coarsen(in, k, t)
	for _, r := range kept {
		out = append(out, OpenRow{r.area, r.category, r.kind, r.channel, r.agency})
	}
	return out, leftOut
}
