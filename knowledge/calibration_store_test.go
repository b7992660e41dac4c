package knowledge_test

import (
	"errors"
	"testing"
	"time"

	"hotline/internal/db"
	"hotline/knowledge"
)

// stocked fills the base with demo articles of a language, in one rebuild, as a node finds them that starts.
func (d *desk) stocked(t *testing.T, lang string, most int) {
	t.Helper()
	docs, _ := demoDocs(t)
	for _, doc := range docs {
		if doc.Lang != lang || doc.Audience != knowledge.AudiencePublic || most == 0 {
			continue
		}
		most--
		d.publish(t, knowledge.Article{Lang: lang}, knowledge.Text{Title: doc.Title, Summary: doc.Summary, Body: doc.Body, Keywords: doc.Keywords, Questions: doc.Questions})
	}
	if err := d.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) calibration(t *testing.T, lang string) knowledge.Calibration {
	t.Helper()
	for _, c := range must[[]knowledge.Calibration](t)(d.Calibrations(t.Context())) {
		if c.Lang == lang {
			return c
		}
	}
	t.Fatalf("nothing was learned for %s", lang)
	return knowledge.Calibration{}
}

func TestAnInstallationLearnsHowSureItsScoresAre(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	if must[bool](t)(d.CalibrationDue(ctx)) {
		t.Error("due without an article")
	}
	d.stocked(t, "en", 60)
	if !must[bool](t)(d.CalibrationDue(ctx)) {
		t.Error("not due after the first articles")
	}
	if err := d.Calibrate(ctx); err != nil {
		t.Fatal(err)
	}
	own := knowledge.DefaultThresholds
	c := d.calibration(t, "en")
	if !c.Enough() || c.Articles != 60 || len(c.Fitted.Curve) < 3 || c.Fitted.Error > 0.2 {
		t.Fatalf("learned %d questions of %d articles, error %.2f, %v", c.N, c.Articles, c.Fitted.Error, c.Fitted.Curve)
	}
	if d.ThresholdsOf("en-GB") != own {
		t.Errorf("nobody wanted anything, and the thresholds are %+v", d.ThresholdsOf("en"))
	}
	if must[bool](t)(d.CalibrationDue(ctx)) {
		t.Error("due again at once")
	}
	d.clock.Advance(24 * time.Hour)
	if !must[bool](t)(d.CalibrationDue(ctx)) {
		t.Error("not due the day after")
	}
	// Surer answers are fewer, on every node, and still so after the next round.
	admin := d.staff("administrator", "administrator")
	if err := d.Want(ctx, admin, "en", c.Version, 0.95, 0.5); err != nil {
		t.Fatal(err)
	}
	strict := d.ThresholdsOf("en")
	if strict.Good <= own.Good || strict.Close == own.Close || strict.Close > strict.Good {
		t.Errorf("wanted 95 %%: %+v", strict)
	}
	if d.ThresholdsOf("zh-CN") != own {
		t.Error("a wish for English changes Chinese")
	}
	other := d.node(t)
	if err := other.LoadCalibration(ctx); err != nil || other.ThresholdsOf("en") != strict {
		t.Errorf("another node decides by %+v, %v", other.ThresholdsOf("en"), err)
	}
	if err := d.Calibrate(ctx); err != nil {
		t.Fatal(err)
	}
	if c = d.calibration(t, "en"); c.WantAnswer != 0.95 || c.WantChoice != 0.5 || d.ThresholdsOf("en") != strict {
		t.Errorf("after another round: %+v", d.ThresholdsOf("en"))
	}
}

func TestAStrictWishTurnsAnAnswerIntoAChoice(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.stocked(t, "en", 60)
	if err := d.Calibrate(ctx); err != nil {
		t.Fatal(err)
	}
	c := d.calibration(t, "en")
	strict := c
	strict.WantAnswer = 0.95
	th, _ := strict.Thresholds(knowledge.DefaultThresholds)
	// A question with a score between the two thresholds: the words of a title, some of them.
	docs, _ := demoDocs(t)
	for _, doc := range docs {
		if doc.Lang != "en" {
			continue
		}
		a := must[knowledge.Answer](t)(d.Answer(ctx, doc.Summary, "en"))
		if a.Outcome != knowledge.Answered || a.Score >= th.Good {
			continue
		}
		if err := d.Want(ctx, d.staff("administrator", "administrator"), "en", c.Version, 0.95, 0); err != nil {
			t.Fatal(err)
		}
		if b := must[knowledge.Answer](t)(d.Answer(ctx, doc.Summary, "en")); b.Outcome != knowledge.Choices || b.Score != a.Score {
			t.Errorf("%.2f was %s, is %s", a.Score, a.Outcome, b.Outcome)
		}
		return
	}
	t.Fatal("no question scores between the thresholds")
}

func TestFewQuestionsChangeNothing(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	e := d.publish(t, knowledge.Article{Lang: "en"}, passport)
	d.owner(t, `insert into eval_pairs (id, lang, question, article_id, source, created_at) values (gen_random_uuid(), 'en', 'how do I renew my passport', $1, 'editor', now()),
		(gen_random_uuid(), 'en', 'my passport expired', $1, 'editor', now())`, e.Article.ID)
	if err := d.Calibrate(ctx); err != nil {
		t.Fatal(err)
	}
	c := d.calibration(t, "en")
	if c.N != 2 { // a pair, and one that is a stored question, too
		t.Errorf("learned from %d questions", c.N)
	}
	if err := d.Want(ctx, d.staff("administrator", "administrator"), "en", 1, 0.99, 0.9); err != nil {
		t.Fatal(err)
	}
	if d.ThresholdsOf("en") != knowledge.DefaultThresholds {
		t.Errorf("two questions make %+v", d.ThresholdsOf("en"))
	}
}

func TestWhoMayWantWhat(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.publish(t, knowledge.Article{Lang: "en"}, passport)
	if err := d.Calibrate(ctx); err != nil {
		t.Fatal(err)
	}
	admin := d.staff("administrator", "administrator")
	for name, c := range map[string]struct {
		by             knowledge.Staff
		lang           string
		version        int
		answer, choice float64
		want           error
	}{
		"an editor":        {d.editor(), "en", 1, 0.9, 0, knowledge.ErrNotAdmin},
		"more than all":    {admin, "en", 1, 1.2, 0, knowledge.ErrWanted},
		"less than none":   {admin, "en", 1, 0, -1, knowledge.ErrWanted},
		"unknown language": {admin, "xx", 1, 0.9, 0, knowledge.ErrNotCalibrated},
		"an old version":   {admin, "en", 7, 0.9, 0, knowledge.ErrSettingsChanged},
	} {
		if err := d.Want(ctx, c.by, c.lang, c.version, c.answer, c.choice); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheWallOfCalibrations(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.owner(t, `insert into knowledge_calibrations (lang, n) values ('en', 7)`)
	for _, sql := range []string{`update knowledge_calibrations set want_answer = 0.5`, `delete from knowledge_calibrations`} {
		if err := db.WithTx(ctx, d.pool, d.city.Staff("administrator"), func(tx db.Tx) error {
			tag, err := tx.Exec(ctx, sql)
			if err == nil && tag.RowsAffected() != 0 {
				t.Errorf("%s: changed %d", sql, tag.RowsAffected())
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	if err := db.WithTx(ctx, d.pool, d.city.Staff("administrator"), func(tx db.Tx) error {
		_, err := tx.Exec(ctx, `insert into knowledge_calibrations (lang) values ('zh')`)
		return err
	}); err == nil {
		t.Error("staff write a calibration beside the program")
	}
	if d.calibration(t, "en").N != 7 {
		t.Error("not the row that was written")
	}
}
