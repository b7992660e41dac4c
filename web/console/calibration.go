package console

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"strings"

	"hotline/internal/errs"
	"hotline/knowledge"
	"hotline/knowledge/calibrate"
	"hotline/web/chart"
	"hotline/web/httperr"
)

func (c *Console) calibrationRoutes(on func(string, []string, handle)) {
	on("GET /console/calibration", learningRoles, c.calibration)
	on("POST /console/calibration/{lang}", []string{"administrator"}, c.calibrationSave)
}

type calibrationData struct {
	Rows  []calibrationRow
	Admin bool
	Saved bool
	Error string
	Field string // of which language and what: en-want_answer
}

// calibrationRow is how sure one language is.
type calibrationRow struct {
	knowledge.Calibration
	Name           string // of the language
	Met            bool
	Good, Close    string // scores
	Chance         int    // percent that is right at Close
	Answer, Choice string // as they stand in the form
	Settings       []calibrationSetting
	Chart          template.HTML
}

// calibrationSetting is what a wish would do, in percent.
type calibrationSetting struct {
	Wanted                    int // 0: the program's own
	Present, Met              bool
	From                      string
	Answered, Precision, Miss string
}

// calibrationWishes are shown beside the present setting.
var calibrationWishes = []float64{0, 0.7, 0.8, 0.85, 0.9, 0.95}

func (c *Console) calibration(w http.ResponseWriter, r *http.Request) error {
	return c.showCalibration(w, r, http.StatusOK, &calibrationData{Saved: r.URL.Query().Has("saved")})
}

func (c *Console) showCalibration(w http.ResponseWriter, r *http.Request, status int, d *calibrationData) error {
	v := c.view(r)
	list, err := c.Knowledge.Calibrations(r.Context())
	if err != nil {
		return err
	}
	own := c.Knowledge.Thresholds
	for _, one := range list {
		row := calibrationRow{Calibration: one, Name: one.Lang, Answer: wish(one.WantAnswer), Choice: wish(one.WantChoice)}
		for _, l := range v.Langs() {
			if knowledge.BaseLang(l) == one.Lang {
				row.Name = v.LangIn(l)
			}
		}
		t, met := one.Thresholds(own)
		row.Met, row.Good, row.Close = met, score(t.Good), score(t.Close)
		row.Chance = percent(one.Fitted.Curve.Chance(t.Close))
		if lang := r.PathValue("lang"); lang == one.Lang { // what was typed stays
			row.Answer, row.Choice = clean(r.PostFormValue("want_answer"), 10), clean(r.PostFormValue("want_choice"), 10)
		}
		if one.Enough() {
			wishes, shown := calibrationWishes, false
			for i, want := range append([]float64{one.WantAnswer}, wishes...) {
				if i > 0 && want == one.WantAnswer {
					continue // it stands above
				}
				try := one
				try.WantAnswer = want
				t, met := try.Thresholds(own)
				s := calibrate.At(one.Fitted.Table, t.Good)
				row.Settings = append(row.Settings, calibrationSetting{Wanted: percent(want), Present: !shown, Met: met, From: score(t.Good),
					Answered: tenths(s.Answered), Precision: tenths(s.Precision()), Miss: tenths(s.Wrong())})
				shown = true
			}
			row.Chart = foretold(v, one.Fitted.Bins)
		}
		d.Rows = append(d.Rows, row)
	}
	d.Admin = v.Me.Has("administrator")
	v.Nav, v.Title, v.D = "learning", v.T("calibration.title"), d
	c.page(w, r, status, "calibration", v)
	return nil
}

// foretold draws the share that was right beside the one that was foretold.
func foretold(v View, bins []calibrate.Bin) template.HTML {
	var labels []string
	said, seen := make([]float64, len(bins)), make([]float64, len(bins))
	for i, b := range bins {
		labels = append(labels, strconv.Itoa(percent(b.Foretold))+"%")
		said[i], seen[i] = b.Foretold, b.Observed
	}
	return chart.Shares(420, 170, labels, []chart.Series{{Name: v.T("calibration.foretold"), Class: "s2", Values: said}, {Name: v.T("calibration.observed"), Class: "s1", Values: seen}})
}

// Tenths writes a share for the table.
func (v View) Tenths(share float64) string { return tenths(share) }

func tenths(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

func score(s float64) string { return strconv.FormatFloat(s, 'f', 2, 64) }

func wish(share float64) string {
	if share == 0 {
		return ""
	}
	return strconv.Itoa(percent(share))
}

// wished reads a wish; an empty one is none. What is no number is none that makes sense.
func wished(s string) float64 {
	if s = strings.TrimSpace(s); s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n == 0 {
		return math.NaN()
	}
	return float64(n) / 100
}

func (c *Console) calibrationSave(w http.ResponseWriter, r *http.Request) error {
	if err := parseForm(r); err != nil {
		return err
	}
	v, q, lang := c.view(r), r.PostForm, r.PathValue("lang")
	by := staff(v)
	if v.Me.Has("administrator") {
		by.Actor = by.Actor.AsAdministrator()
	}
	if err := c.Knowledge.Want(r.Context(), by, lang, number(q.Get("version")), wished(q.Get("want_answer")), wished(q.Get("want_choice"))); err != nil {
		if !expected(err) {
			return err
		}
		d := &calibrationData{Error: c.explain(r.Context(), v, err)}
		if f := fieldOf(err); f != "" {
			d.Field = lang + "-" + f
			d.Error = v.T("error.on", "field", v.T("calibration."+f), "words", d.Error)
		}
		return c.showCalibration(w, r, httperr.Status(errs.KindOf(err)), d)
	}
	http.Redirect(w, r, "/console/calibration?saved=1", http.StatusSeeOther)
	return nil
}
