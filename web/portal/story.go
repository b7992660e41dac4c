package portal

import (
	"strings"

	"hotline/internal/i18n"
)

// The vocabulary of the case page: states, people and events in plain words.

// State is what the state of a ticket means to its citizen.
func (v *view) State(state string) string { return v.either("state."+state, "state.other") }

// Next says what happens next in a state; agency may be empty.
func (v *view) Next(state, agency string) string {
	if agency == "" {
		agency = v.T("case.the_agency")
	}
	key := "state." + state + ".next"
	if !v.Known(key) {
		key = "state.other.next"
	}
	return v.T(key, "agency", agency)
}

// Working reports whether somebody works on the case: only then a deadline means anything to its citizen.
func (v *view) Working(state string) bool {
	switch state {
	case "received", "accepted", "pending_dispatch", "dispatched", "return_requested", "in_coordination", "in_progress", "reopened":
		return true
	}
	return false
}

// Who names the author of an entry.
func (v *view) Who(item Item) string {
	if item.Name != "" && item.Author == "staff" {
		return item.Name
	}
	return v.either("who."+item.Author, "who.system")
}

// What says what happened, "" for a plain message.
func (v *view) What(item Item) string {
	if item.Event == "" || !v.Known("event."+item.Event) {
		return ""
	}
	return v.T("event." + item.Event)
}

func (v *view) either(key, other string) string {
	if v.Known(key) {
		return v.T(key)
	}
	return v.T(other)
}

// IsPicture reports whether a file is shown in place.
func (v *view) IsPicture(contentType string) bool { return strings.HasPrefix(contentType, "image/") }

// Stars draws a grade.
func (v *view) Stars(grade int) string {
	grade = min(max(grade, 0), 5)
	return strings.Repeat("★", grade) + strings.Repeat("☆", 5-grade)
}

// CategoryName is the name of a category.
func (v *view) CategoryName(code string) string { return v.p.City.CategoryName(code, v.Lang) }

// LangName is a language's own name.
func (v *view) LangName(lang string) string { return i18n.Name(lang) }

// Answered reports whether the draft has an answer for the step.
func (v *view) Answered(step string) bool {
	b, ok := v.Body.(*stepBody)
	return ok && b.Draft.answered(step)
}

// Move is what the form of an action needs.
func (v *view) Move(action string) struct {
	V      *view
	Action string
} {
	return struct {
		V      *view
		Action string
	}{v, action}
}
