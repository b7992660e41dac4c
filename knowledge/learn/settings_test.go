package learn_test

import (
	"errors"
	"testing"

	"hotline/internal/db"
	"hotline/knowledge"
	"hotline/knowledge/learn"
)

func TestAdministratorsSayHowLongAnswersAreKept(t *testing.T) {
	t.Parallel()
	s := open(t)
	admin := s.staff("administrator", "administrator")
	was, err := s.Settings(t.Context())
	s.must(err)
	if was.KeepMonths != 24 || was.PreviewDays != 28 {
		t.Errorf("as delivered: %+v", was)
	}
	for name, c := range map[string]struct {
		by   knowledge.Staff
		edit func(*learn.Settings)
		want error
	}{
		"an editor":  {s.editor(), func(*learn.Settings) {}, knowledge.ErrNotAdmin},
		"for ever":   {admin, func(n *learn.Settings) { n.KeepMonths = 241 }, knowledge.ErrSettings},
		"not at all": {admin, func(n *learn.Settings) { n.PreviewDays = 0 }, knowledge.ErrSettings},
		"not seen":   {admin, func(n *learn.Settings) { n.Version = 7 }, knowledge.ErrSettingsChanged},
	} {
		n := was
		c.edit(&n)
		if err := s.SaveSettings(t.Context(), c.by, n); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	tell := func() {
		s.must(db.WithTx(t.Context(), s.pool, db.System(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into answers (id, at, lang, channel, by, question, outcome) values ($1, $2, 'en', 'web', 'portal', 'a question', 'none')`, db.NewID(), s.clock.Now())
			return err
		}))
	}
	tell()
	s.clock.Advance(70 * 24 * 3600e9)
	tell()
	if n, err := s.Forget(t.Context()); n != 0 || err != nil {
		t.Errorf("within 24 months %d are forgotten (%v)", n, err)
	}
	was.KeepMonths = 2
	s.must(s.SaveSettings(t.Context(), admin, was))
	if n, err := s.Forget(t.Context()); n != 1 || err != nil {
		t.Errorf("after two months %d are forgotten (%v)", n, err)
	}
	// The second wall: staff change no rule past the service.
	err = db.WithTx(t.Context(), s.pool, s.editor().Actor, func(tx db.Tx) error {
		tag, err := tx.Exec(t.Context(), `update learning_settings set keep_months = 1`)
		if err == nil && tag.RowsAffected() != 0 {
			t.Error("an editor's transaction changed the rules")
		}
		return err
	})
	s.must(err)
}
