package opendata

// Statements is every statement of the package, to be prepared against the schema.
var Statements = []string{filesSQL, fileSQL, insertSQL}

// Row is a row of the open data on its way, for the test of coarsening.
type Row struct{ Area, Category, Kind, Channel, Agency string }

// Coarsen makes rows coarser until at least k are alike.
func Coarsen(rows []Row, k int, t Trees) (out []Row, leftOut int) {
	in := make([]row, len(rows))
	for i, r := range rows {
		in[i] = row{area: r.Area, category: r.Category, kind: r.Kind, channel: r.Channel, agency: r.Agency}
	}
	kept, leftOut := coarsen(in, k, t)
	for _, r := range kept {
		out = append(out, Row{r.area, r.category, r.kind, r.channel, r.agency})
	}
	return out, leftOut
}
