package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"hotline/knowledge"
)

func TestAdministratorsSayHowSureAnswersAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("administrator")
	admin.get("/console/calibration").wants(t, http.StatusOK, "Nothing was learned yet")
	things := []string{"beehive", "passport", "parking", "library", "compost", "fountain", "kindergarten", "bicycle", "chimney", "marriage", "fishing", "swimming"}
	for _, thing := range things {
		var questions []string
		for _, form := range []string{"where do I get a %s permit", "%s how much", "who answers for the %s", "lost my %s paper", "%s rules in winter", "may children have a %s", "is the %s office open", "new %s wanted", "%s complaint to whom"} {
			questions = append(questions, fmt.Sprintf(form, thing))
		}
		r.written(knowledge.Text{Title: "About the " + thing, Summary: "The office knows all of the " + thing + ".", Body: "Come on Monday.", Questions: questions})
	}
	must(t, r.knowledge.Calibrate(context.Background()))
	editor := r.signIn("editor")
	editor.get("/console/learning").wants(t, http.StatusOK, `href="/console/calibration"`)
	editor.get("/console/calibration").wants(t, http.StatusOK, "<h2>English</h2>", "Learned from 108 questions", "from a score of 0.45 on", "As delivered <span class=\"badge\">Now</span>", "Was right", "<svg").lacks(t, `name="want_answer"`)
	editor.post("/console/calibration/en", url.Values{"version": {"1"}, "want_answer": {"90"}}).wants(t, http.StatusForbidden)
	save := func(version, right, choice string) answer {
		return admin.post("/console/calibration/en", url.Values{"version": {version}, "want_answer": {right}, "want_choice": {choice}})
	}
	for _, bad := range []string{"100", "0", "many", "-5"} {
		save("1", bad, "").wants(t, http.StatusBadRequest, "Write a share from 50 to 99 %", `id="c-en-want_answer" aria-invalid="true"`)
	}
	save("1", "", "3").wants(t, http.StatusBadRequest, "Write a share from 5 to 95 %", `id="c-en-want_choice" aria-invalid="true"`)
	save("1", "80", "40").wants(t, http.StatusOK, "80 % <span class=\"badge\">Now</span>", `name="want_answer" min="50" max="99" value="80"`, `max="95" value="40"`)
	save("1", "90", "").wants(t, http.StatusConflict, "Someone else changed the rules")
	list, err := r.knowledge.Calibrations(context.Background())
	must(t, err)
	if want, _ := list[0].Thresholds(knowledge.DefaultThresholds); r.knowledge.ThresholdsOf("en") != want || want == knowledge.DefaultThresholds {
		t.Errorf("the bot decides by %+v", r.knowledge.ThresholdsOf("en"))
	}
	save("2", "", "").wants(t, http.StatusOK, "As delivered <span class=\"badge\">Now</span>")
	if r.knowledge.ThresholdsOf("en") != knowledge.DefaultThresholds {
		t.Error("without a wish the thresholds are not the program's own")
	}
}
