package tickets

import "github.com/google/uuid"

// ListSQL is the statement of List, for the tests that look at its plan.
func (s *Service) ListSQL(a Actor, v View, f Filter, after string, limit int) (string, []any, error) {
	q, err := s.listQuery(a, v, f, after, limit, f.Tag == RareTag)
	return q.sql, q.args, err
}

// RareTag is a tag that ListSQL takes for rare.
var RareTag = uuid.MustParse("00000000-0000-7000-8000-000000000001")

// FilterCountSQL is the statement behind the count of a saved filter.
func (s *Service) FilterCountSQL(a Actor, f SavedFilter) (string, []any, error) {
	return s.filterCountQuery(a, f)
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

// CountSettings are those of the counts of saved filters.
const CountSettings = countSettings
