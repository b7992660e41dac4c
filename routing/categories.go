package routing

import (
	"context"
	"slices"
	"strings"

	"hotline/internal/db"
	"hotline/internal/errs"
)

// Errors of the category operations.
var (
	ErrCategoryNotFound  = errs.New(errs.NotFound, "routing.category_not_found", "there is no such category")
	ErrCategoryCodeTaken = errs.New(errs.Conflict, "routing.category_code_taken", "another category has this code").On("code")
	ErrCategoryBelow     = errs.New(errs.Conflict, "routing.category_has_children", "active categories stand below this one; deactivate those first")
	ErrCategoryParentOff = errs.New(errs.Conflict, "routing.category_parent_inactive", "the category above is not active").On("parent")
	// ErrCategoryParentUsed: tickets are filed under leaves, so a leaf that is in use stays one.
	ErrCategoryParentUsed = errs.New(errs.Conflict, "routing.category_parent_used", "the dispatch catalogue or service items name the category above; it has to stay without categories below it").On("parent")

	errCategoryKinds    = errs.New(errs.Invalid, "routing.category_kinds_invalid", "choose at least one kind of request; the category above has to take it too").On("kinds")
	errCategoryKindsOf  = errs.New(errs.Invalid, "routing.category_kinds_needed", "a category below takes a kind of request that this one would not").On("kinds")
	errCategoryUrgency  = errs.New(errs.Invalid, "routing.category_urgency_invalid", "this urgency does not exist").On("urgency")
	errCategoryParent   = errs.New(errs.Invalid, "routing.category_parent_invalid", "the category cannot stand there: it does not exist, lies below itself, or is deeper than three levels").On("parent")
	requestKinds        = []string{"consult", "help", "complaint", "report", "suggestion", "praise"}
	categoryUrgencies   = []string{"normal", "urgent", "complex"}
	maxCategoryLevels   = 3
	maxKeywords         = 100
	maxExamples         = 200
	maxKeyword          = 100  // characters
	maxExample          = 500  // characters
	maxCategoryDescribe = 1000 // characters
)

// RequestKinds lists what a category can take.
func RequestKinds() []string { return slices.Clone(requestKinds) }

// CategoryFields are what an administrator enters. The code is fixed: tickets, statistics and the catalogue name it.
type CategoryFields struct {
	Code         string
	Parent       string
	Names        Names
	Kinds        []string
	Urgency      string
	Confidential bool
	Description  Names
	Keywords     map[string][]string
	Examples     map[string][]string // what citizens say; they train the classifier
}

// level is how deep a category stands, 1 at the top; height how many levels hang below it, itself included.
func (s *Snapshot) level(code string) int {
	n := 0
	for c, ok := s.Category(code); ok && n < 10; c, ok = s.Category(c.Parent) {
		n++
	}
	return n
}

func (s *Snapshot) height(code string) int {
	n := 0
	for _, c := range s.categories {
		if c.Parent == code {
			n = max(n, s.height(c.Code))
		}
	}
	return n + 1
}

// InUse reports whether the dispatch catalogue or an active service item names the category: then it has to stay a leaf.
func (s *Snapshot) InUse(code string) bool {
	return slices.ContainsFunc(s.items, func(i ServiceItem) bool { return i.Active && i.Category == code }) ||
		s.catalogue.Names(code)
}

// checkPlace judges where a category of this height would stand.
func (s *Snapshot) checkPlace(code, parent string, height int, kinds []string) error {
	if parent == "" {
		return nil
	}
	up, ok := s.Category(parent)
	for at := parent; ok && at != ""; {
		if at == code {
			return errCategoryParent
		}
		c, _ := s.Category(at)
		at = c.Parent
	}
	switch {
	case !ok:
		return errCategoryParent
	case !up.Active:
		return ErrCategoryParentOff
	case s.level(parent)+height > maxCategoryLevels:
		return errCategoryParent
	case up.Leaf && s.InUse(parent):
		return ErrCategoryParentUsed
	}
	for _, k := range kinds {
		if !slices.Contains(up.Kinds, k) {
			return errCategoryKinds
		}
	}
	return nil
}

// check cleans the fields that can change and judges them.
func (f *CategoryFields) check(s *Snapshot) (err error) {
	if f.Names, err = s.checkNames(f.Names); err != nil {
		return err
	}
	if f.Description, err = checkTexts(f.Description, maxCategoryDescribe, "description"); err != nil {
		return err
	}
	if f.Keywords, err = checkWords(f.Keywords, maxKeywords, maxKeyword, "keywords"); err != nil {
		return err
	}
	if f.Examples, err = checkWords(f.Examples, maxExamples, maxExample, "examples"); err != nil {
		return err
	}
	var sorted []string
	for _, k := range requestKinds {
		if slices.Contains(f.Kinds, k) {
			sorted = append(sorted, k)
		}
	}
	if len(sorted) == 0 || len(sorted) < len(f.Kinds) {
		return errCategoryKinds
	}
	f.Kinds = sorted
	if !slices.Contains(categoryUrgencies, f.Urgency) {
		return errCategoryUrgency
	}
	for _, c := range s.categories {
		for _, k := range c.Kinds {
			if c.Active && c.Parent == f.Code && f.Code != "" && !slices.Contains(f.Kinds, k) {
				return errCategoryKindsOf
			}
		}
	}
	return s.checkPlace(f.Code, f.Parent, s.height(f.Code), f.Kinds)
}

const (
	sqlLockCategory = `select version from categories where code = $1 for update`
	sqlAddCategory  = `
		insert into categories (code, parent, names, kinds, urgency, confidential, description, keywords, examples)
		values ($1, nullif($2, ''), $3, $4, $5, $6, $7, $8, $9)`
	sqlUpdateCategory = `
		update categories set parent = nullif($2, ''), names = $3, kinds = $4, urgency = $5, confidential = $6, description = $7, keywords = $8, examples = $9, version = version + 1
		where code = $1`
	sqlCategoryActive = `update categories set active = $2, version = version + 1 where code = $1`
)

// CreateCategory adds an active category.
// Errors: forbidden, invalid fields, ErrCategoryCodeTaken, ErrCategoryParentOff, ErrCategoryParentUsed.
func (s *Service) CreateCategory(ctx context.Context, by db.Actor, f CategoryFields) error {
	if err := mayChange(by); err != nil {
		return err
	}
	if f.Code = strings.TrimSpace(f.Code); !refCode.MatchString(f.Code) || f.Code != strings.ToLower(f.Code) {
		return errRefCode
	}
	check := func(snap *Snapshot) error {
		if _, taken := snap.Category(f.Code); taken {
			return ErrCategoryCodeTaken
		}
		return f.check(snap)
	}
	return s.change(ctx, by, check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlAddCategory, f.Code, f.Parent, f.Names, f.Kinds, f.Urgency, f.Confidential, f.Description, f.Keywords, f.Examples)
		if db.Violates(err, "categories_pkey") {
			return ErrCategoryCodeTaken
		}
		return err
	})
}

// UpdateCategory changes a category, its place included. The classifier learns the new texts in the background.
// Errors: forbidden, invalid fields, ErrCategoryNotFound, ErrReferenceStale, ErrCategoryParentOff, ErrCategoryParentUsed.
func (s *Service) UpdateCategory(ctx context.Context, by db.Actor, version int, f CategoryFields) error {
	if err := mayChange(by); err != nil {
		return err
	}
	check := func(snap *Snapshot) error {
		was, ok := snap.Category(f.Code)
		if !ok {
			return ErrCategoryNotFound
		}
		if was.Version != version {
			return ErrReferenceStale
		}
		if f.Parent != was.Parent || f.Parent == "" {
			return f.check(snap)
		}
		// It stays where it is, whatever became of the place meanwhile.
		parent := f.Parent
		f.Parent = ""
		err := f.check(snap)
		if f.Parent = parent; err != nil {
			return err
		}
		if up, ok := snap.Category(parent); ok && slices.ContainsFunc(f.Kinds, func(k string) bool { return !slices.Contains(up.Kinds, k) }) {
			return errCategoryKinds
		}
		return nil
	}
	return s.changeRow(ctx, by, sqlLockCategory, f.Code, version, ErrCategoryNotFound, check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlUpdateCategory, f.Code, f.Parent, f.Names, f.Kinds, f.Urgency, f.Confidential, f.Description, f.Keywords, f.Examples)
		return err
	})
}

// SetCategoryActive takes a category out of use or back into it. Tickets keep it.
// Errors: forbidden, ErrCategoryNotFound, ErrReferenceStale, ErrCategoryBelow, ErrCategoryParentOff.
func (s *Service) SetCategoryActive(ctx context.Context, by db.Actor, code string, version int, active bool) error {
	check := func(snap *Snapshot) error {
		c, ok := snap.Category(code)
		if !ok {
			return ErrCategoryNotFound
		}
		if !active && slices.ContainsFunc(snap.categories, func(d Category) bool { return d.Active && d.Parent == code }) {
			return ErrCategoryBelow
		}
		if up, ok := snap.Category(c.Parent); active && ok && !up.Active {
			return ErrCategoryParentOff
		}
		return nil
	}
	return s.changeRow(ctx, by, sqlLockCategory, code, version, ErrCategoryNotFound, check, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, sqlCategoryActive, code, active)
		return err
	})
}
