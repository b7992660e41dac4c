package console_test

import (
	"net/http"
	"net/url"
	"testing"

	"hotline/knowledge"
)

func TestAnImportSaysWhatItDoesToTheEvaluationSet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	library := r.written(knowledge.Text{Title: "Library opening hours", Summary: "The library is open from nine to six.", Body: "Closed on Mondays."})
	r.written(knowledge.Text{Title: "Dog tax", Summary: "A dog costs 90 a year.", Body: "Pay at the counter."})
	e, reviewer := r.signIn("editor"), r.signIn("reviewer")
	e.post("/console/pairs", url.Values{"question": {"When is the library open?"}, "article": {"https://x/console/knowledge/" + library.Article.ID.String()}}).wants(t, http.StatusOK)
	take := func(b *browser, mode, data string) answer {
		return b.uploadFile("/console/knowledge/import", url.Values{"mode": {mode}}, "a.csv", []byte("id,lang,title,body\n"+data))
	}
	twins := "a,en,When is the library open?,Look at the door.\nb,en,When is the library open today?,Look at the window.\n"
	// Two articles of the file together take the answer away, tried before anything is written.
	try := take(reviewer, "check", twins)
	try.wants(t, http.StatusOK, "What publishing does to answers", "Texts that are new or differ: 2.", "1 pairs of the evaluation set", "1 questions would be answered worse", "When is the library open?", "Nothing was written.")
	// Who cannot publish is not told of publishing, nor does a draft do anything to answers.
	take(e, "check", twins).wants(t, http.StatusOK, "Nothing was written.").lacks(t, "does to answers")
	take(reviewer, "draft", "d,en,Ramps,At every stop.\n").wants(t, http.StatusOK, "Ramps").lacks(t, "does to answers")
	// What does nothing to them says so; what is published is in the report afterwards as well.
	take(reviewer, "publish", "c,en,Beehives,Register them at the counter.\n").wants(t, http.StatusOK, "Beehives", "Texts that are new or differ: 1.", "No answer changes.")
	take(reviewer, "publish", twins).wants(t, http.StatusOK, "1 questions would be answered worse")
	take(reviewer, "publish", twins).wants(t, http.StatusOK, "No text is published that differs")
}
