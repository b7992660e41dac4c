package portal

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

func TestTheCategoryAsksForDetails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("/file/kind", "kind", "complaint")
	s.post("/file/what", "text", "Construction noise every night.")
	s.get("/file/details").at(t, "/file/category") // not before the category is known
	s.post("/file/category", "category", "environment.noise").at(t, "/file/details").
		sees(t, "A few details", "Where does the noise come from?", `type="radio" name="detail-source" value="site" id="detail-source"`, `inputmode="decimal"`, `type="date"`, "(if you know it)", "Question 4 of 7")
	s.get("/file/where").at(t, "/file/details") // and none goes around it
	a := s.post("/file/details", "detail-nights", "many", "detail-firm", "Nachtbau")
	a.sees(t, "There is a problem", `href="#detail-source"`, "Answer “Where does the noise come from?”", `href="#detail-nights"`, "write a number", `value="many"`, `value="Nachtbau"`)
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", a.status)
	}
	s.post("/file/details", "detail-source", "moon").sees(t, "choose one of the answers")
	s.post("/file/details", "detail-source", "bar", "detail-nights", "3", "detail-again", "no").at(t, "/file/where")
	s.post("/file/where", "nowhere", "1").at(t, "/file/photos")
	s.photos("/file/photos", map[string]string{"action": "continue"}, nil).at(t, "/file/contact")
	s.post("/file/contact", "who", "anonymous").at(t, "/file/check").
		sees(t, "Where does the noise come from?", "A bar or restaurant", "How many nights a week?", "Not said", `href="/file/details?change=1"`)
	s.get("/file/details?change=1").sees(t, `value="bar" id="detail-source-1" checked`, `value="3"`, "Save the change", "I would rather not say")
	s.post("/file/details", "detail-source", "site", "detail-nights", "3", "detail-again", "", "change", "1").at(t, "/file/check").sees(t, "A building site")
	s.post("/file/check").at(t, "/file/done")
	if f := s.cases.filings[0]; !maps.Equal(f.Details, map[string]string{"source": "site", "nights": "3"}) {
		t.Errorf("filed with %v", f.Details)
	}
}

// Another category asks for something else, and the answers to the former are not filed.
func TestAnotherCategoryAsksAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.upToCheck()
	s.post("/file/category", "category", "environment.waste", "change", "1").at(t, "/file/details?change=1").sees(t, "Number of the bin", `name="change" value="1"`, `href="/file/category"`)
	s.get("/file/check").at(t, "/file/details")
	s.post("/file/check").at(t, "/file/details")
	s.post("/file/details", "detail-bin", "B-17", "change", "1").at(t, "/file/check").sees(t, "B-17")
	if a := s.get("/file/check"); strings.Contains(a.body, "Where does the noise") {
		t.Error("the check page still has the details of noise")
	}
	s.post("/file/category", "category", "none", "change", "1").at(t, "/file/check")
	s.get("/file/details").at(t, "/file/check")
	s.post("/file/category", "category", "environment.waste", "change", "1").at(t, "/file/check").sees(t, "B-17") // what was typed is kept on the way back
	s.post("/file/check").at(t, "/file/done")
	if f := s.cases.filings[0]; !maps.Equal(f.Details, map[string]string{"bin": "B-17"}) {
		t.Errorf("filed with %v", f.Details)
	}
}
