package tickets

// ListSQL is the statement of List, for the tests that look at its plan.
func (s *Service) ListSQL(a Actor, v View, f Filter, after string, limit int) (string, []any, error) {
	q, err := s.listQuery(a, v, f, after, limit)
	return q.sql, q.args, err
}

// CountSQL is the statement behind one count.
func (s *Service) CountSQL(a Actor, v View) (string, []any, error) {
	return s.countQuery(a.DB.Agency(), a.DB.User(), v)
}

// SearchQuery and SearchVector are the words of the text search.
var (
	SearchQuery  = searchQuery
	SearchVector = searchVector
)

// ListSettings are the planner's settings under which lists run.
const ListSettings = listSettings
