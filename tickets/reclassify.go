package tickets

import (
	"slices"

	"github.com/jackc/pgx/v5"
)

// Reclassifying a case is the hotline's: the category decides which clocks run and whose case it is, and an agency does not choose the clocks it is
// measured by. It tells the hotline with a note, or asks for a transfer.

// EntryFollowed is the history entry of a deadline that moved with the category, beside the one that the contact was told.
const EntryFollowed = "deadline_followed"

// checkCategory wants another category that there is. Errors: ErrUnknownCategory, ErrSameCategory.
func (c *change) checkCategory(code string) error {
	switch {
	case !c.svc.router.CategoryKnown(code):
		return ErrUnknownCategory
	case code == c.t.Category:
		return ErrSameCategory
	}
	return nil
}

// reclassify files the case under another category. What the category says of the case comes with it as far as it protects or hurries: a case
// becomes urgent or confidential by it, and stays so. Who leads stays the dispatchers' decision; they see what the catalogue says now.
func (c *change) reclassify(f *Fields) {
	t := &c.t
	f.WasCategory = t.Category
	t.Category, t.categoryFixed = f.Category, true
	if t.ServiceItem != "" && !related(c.svc.router.ItemCategory(t.ServiceItem), t.Category) {
		t.ServiceItem = "" // an entry of the catalogue of another matter
	}
	r := c.decide()
	if t.Urgency == "normal" && slices.Contains(urgencies, r.Urgency) {
		t.Urgency = r.Urgency
	}
	hide := r.Confidential && !t.Confidential
	t.Confidential = t.Confidential || r.Confidential
	c.clocks.policy, _ = c.set.SLA.Choose(t.Kind, t.Category, t.Urgency)
	f.Was, f.DueAt = c.clocks.reclassified()
	c.tell(t.Lead, Handler, string(Reclassify))
	id, conversation, category, item, urgency, confidential := t.ID, t.ConversationID, t.Category, t.ServiceItem, t.Urgency, t.Confidential
	c.also(func(b *pgx.Batch) {
		b.Queue(`update tickets set category = $2, category_fixed = true, service_item = nullif($3::text, ''), urgency = $4, confidential = $5 where id = $1`, id, category, item, urgency, confidential)
		if hide {
			b.Queue(`update conversations set confidential = true where id = $1`, conversation)
		}
	})
}

// related reports whether one category is the other, or lies above it; a service item without a category fits everywhere.
func related(a, b string) bool {
	return a == "" || slices.Contains(above(a), b) || slices.Contains(above(b), a)
}
