package demo

import (
	"testing"

	"hotline/internal/testkit"
)

// A city's articles bring topics whose names people can read, and keep their audience from the first version on.
func TestTopicsOfTheCityHaveNames(t *testing.T) {
	t.Parallel()
	pool := testkit.DB(t)
	if _, err := Load(t.Context(), pool, read(t), "x"); err != nil {
		t.Fatal(err)
	}
	owner := testkit.OwnerPool(t, pool)
	var named string
	if err := owner.QueryRow(t.Context(), `select names->>'zh-CN' from knowledge_topics where code = 'education'`).Scan(&named); err != nil || named == "" {
		t.Errorf("education is called %q, %v", named, err)
	}
	var apart int
	if err := owner.QueryRow(t.Context(), `select count(*) from articles a join article_versions v on v.article_id = a.id where v.audience <> a.audience`).Scan(&apart); err != nil || apart != 0 {
		t.Errorf("%d versions say another audience than their article, %v", apart, err)
	}
}
