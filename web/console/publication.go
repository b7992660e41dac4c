package console

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"hotline/internal/errs"
	"hotline/knowledge"
)

var errMinute = errs.New(errs.Invalid, "console.bad_minute", "this is not a day and a time")

// minuteForm is how an input of type datetime-local writes a minute.
const minuteForm = "2006-01-02T15:04"

// minute reads a minute of the jurisdiction's clock; an empty field is none. Errors: errMinute naming the field.
func (c *Console) minute(q url.Values, field string) (*time.Time, error) {
	s := strings.TrimSpace(q.Get(field))
	if s == "" {
		return nil, nil
	}
	t, err := time.ParseInLocation(minuteForm, s, c.zone())
	if err != nil {
		return nil, errMinute.On(field).Wrap(err)
	}
	return &t, nil
}

// when reads the schedule of a publication.
func (c *Console) when(q url.Values) (w knowledge.When, err error) {
	if w.From, err = c.minute(q, "from"); err != nil {
		return w, err
	}
	w.Until, err = c.minute(q, "until")
	return w, err
}

// scheduled fills the form in which a reviewer names the time, with what is set already.
func (d *articleData) scheduled(zone *time.Location, now time.Time) {
	write := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.In(zone).Format(minuteForm)
	}
	d.From, d.Until = write(d.V.PublishAt), write(d.V.ExpireAt)
	if from := d.V.ValidFrom; from != nil {
		if begins := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, zone); begins.After(now) {
			d.Begins = &begins
		}
	}
}

// wholeVersion is whole with the names of the version's files.
func (c *Console) wholeVersion(ctx context.Context, v View, x knowledge.Version) (string, error) {
	files, err := c.Knowledge.Files(ctx, x.Files)
	if err != nil {
		return "", err
	}
	s := whole(v, x.Text)
	for _, f := range files {
		s += "\n" + v.T("told.files") + ": " + f.Name + " (" + v.Size(f.Size) + ")"
	}
	return s, nil
}

// compared is the version that the shown one is compared with: the one asked for; else what is served now for a text that waits to replace it, and
// the version before for any other.
func compared(d *articleData, at, asked int) (knowledge.Version, bool) {
	live := d.A.Live
	if asked == 0 && d.Latest && d.V.PublishedAt == nil && live != 0 {
		asked = live
	}
	if asked != 0 && asked != d.V.Number {
		if i := slices.IndexFunc(d.Versions, func(x knowledge.Version) bool { return x.Number == asked }); i >= 0 {
			return d.Versions[i], true
		}
	}
	if at+1 < len(d.Versions) {
		return d.Versions[at+1], true
	}
	return knowledge.Version{}, false
}
