package knowledge

import (
	"context"

	"github.com/google/uuid"

	"hotline/internal/db"
)

// Who may do what: editors and reviewers of an agency work on that agency's
// articles, those of the hotline itself on all. Every change asks here; the
// row-level policies of the tables say the same once more.

func (s Staff) mayEdit() error {
	if s.has("editor", "reviewer", "administrator") {
		return nil
	}
	return ErrNotEditor
}

// MayRebuild: administrators and the hotline's editors see how the search engine is and have its index built anew.
func (s Staff) MayRebuild() bool {
	return s.Actor.IsSystem() || s.Actor.Desk() && s.mayEdit() == nil
}

// owns: the staff's agency answers for the article, or is the hotline.
func (s Staff) owns(a Article) bool {
	return s.Actor.IsSystem() || s.Actor.Desk() || a.Owner != uuid.Nil && a.Owner == s.Actor.Agency()
}

// mayChange: an editor of the owner agency or of the hotline.
func (s Staff) mayChange(a Article) error {
	if err := s.mayEdit(); err != nil {
		return err
	}
	if !s.owns(a) {
		return ErrNotOwner
	}
	return nil
}

// mayReview: a reviewer of the owner agency or of the hotline itself, who did
// not write the text.
func (s Staff) mayReview(a Article, v Version) error {
	if s.Actor.IsSystem() {
		return nil
	}
	if !s.has("reviewer") || !s.owns(a) {
		return ErrNotReviewer
	}
	if v.Author != uuid.Nil && v.Author == s.Actor.User() {
		return ErrOwnReview
	}
	return nil
}

// reviews is mayReview before the version is known.
func (s Staff) reviews(a Article) error { return s.mayReview(a, Version{}) }

// May says what somebody may do with an article: the console shows only that.
type May struct{ Edit, Review bool }

// May answers for one article. A reviewer may still not publish a text of
// their own.
func (s Staff) May(a Article) May {
	return May{Edit: s.mayChange(a) == nil, Review: s.reviews(a) == nil}
}

// elevated runs what anybody of the staff may do to any agency's article, after
// it was judged: the walls let the program through.
func (s *Service) elevated(ctx context.Context, fn func(tx db.Tx) error) error {
	return db.WithTx(ctx, s.Pool, db.System(), fn)
}
