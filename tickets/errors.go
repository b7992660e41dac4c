package tickets

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"hotline/internal/errs"
)

// The errors of this package. Codes are stable; Args carry ids and codes, never personal data.
var (
	// ErrNotFound: no such ticket, or none that the actor may see; the two are not told apart.
	ErrNotFound = errs.New(errs.NotFound, "tickets.not_found", "there is no such ticket, or it is not yours to see")
	// ErrUnknownCode: no ticket has this tracking code.
	ErrUnknownCode = errs.New(errs.NotFound, "tickets.unknown_code", "no ticket has this tracking code")
	// ErrMalformedCode: the input is not twenty digits.
	ErrMalformedCode = errs.New(errs.Invalid, "tickets.malformed_code", "a tracking code has twenty digits").On("code")
	// ErrReasonShort: others could not judge by so few words. Args: least, in characters.
	ErrReasonShort = errs.New(errs.Invalid, "tickets.reason_short", "the reason is too short")
	// ErrStale: someone else changed the ticket. Args: action, actor (citizen, bot, staff, system), user, agency, at, version, state.
	ErrStale = errs.New(errs.Conflict, "tickets.stale", "someone else changed the ticket in the meantime")
	// ErrBusy: somebody is changing the other ticket at this moment; the same call may succeed later.
	ErrBusy = errs.New(errs.Unavailable, "tickets.busy", "somebody is working on that ticket at this moment; try again")
	// ErrNoMove: the state does not know the action. Args: state, action.
	ErrNoMove = errs.New(errs.Conflict, "tickets.no_such_move", "the ticket's state does not allow this")
	// ErrForbidden: the state allows the action, but not to this person. Args: state, action.
	ErrForbidden = errs.New(errs.Forbidden, "tickets.forbidden", "this is for someone else to do")
	// ErrMissing: a required field is empty. Field and Args name it.
	ErrMissing = errs.New(errs.Invalid, "tickets.missing_field", "a required field is empty")
	// ErrBadField: a field has a value that is not allowed. Field names it; Args may carry a limit.
	ErrBadField = errs.New(errs.Invalid, "tickets.bad_field", "a field has a value that is not allowed")
	// ErrTooLong: a text exceeds its limit. Args: limit (characters).
	ErrTooLong = errs.New(errs.TooLarge, "tickets.too_long", "the text is too long")
	// ErrLateReturn: the sign window is over; ask for a transfer instead. Args: due.
	ErrLateReturn = errs.New(errs.Conflict, "tickets.late_return", "the time to return the ticket is over; sign for it and ask for a transfer")
	// ErrDesignated: after coordination the designated agency must handle.
	ErrDesignated = errs.New(errs.Conflict, "tickets.designated", "this agency was designated after coordination and has to handle the ticket")
	// ErrNothingAsked: there is no open request of this kind to decide.
	ErrNothingAsked = errs.New(errs.Conflict, "tickets.nothing_asked", "there is no open request of this kind")
	// ErrAlreadyAsked: another request is still open. Args: ask.
	ErrAlreadyAsked = errs.New(errs.Conflict, "tickets.already_asked", "another request on this ticket is still open")
	// ErrExpired: an extension must be requested before expiry.
	ErrExpired = errs.New(errs.Conflict, "tickets.expired", "the deadline has passed; an extension must be requested before it")
	// ErrExtensionLength: an extension is at most as long as the case had from the beginning. Args: limit, unit.
	ErrExtensionLength = errs.New(errs.Invalid, "tickets.extension_length", "this is longer than an extension may be")
	// ErrExtensionCap: no extension is left. Args: limit.
	ErrExtensionCap = errs.New(errs.Conflict, "tickets.extension_cap", "this ticket has had all the extensions it may have")
	// ErrNoExtension: a case that is done again has a clock of its own, which nothing extends.
	ErrNoExtension = errs.New(errs.Conflict, "tickets.no_extension", "only the time to the first answer can be extended, not that of doing it again")
	// ErrPauseSpent: the questions to the citizen have paused the clock for as long as they may.
	ErrPauseSpent = errs.New(errs.Conflict, "tickets.pause_spent", "the time for waiting on the citizen is used up; write to them without stopping the clock")
	// ErrHandedUp: the agency below has just handed the ticket up. Args: agency.
	ErrHandedUp = errs.New(errs.Conflict, "tickets.handed_up", "that agency has handed the ticket up; sign for it before you hand it down there again")
	// ErrRevisitSoon: another try of the revisit comes too soon after the last. Args: next.
	ErrRevisitSoon = errs.New(errs.Conflict, "tickets.revisit_soon", "the last try was a short while ago; try again at another time of day")
	// ErrHeard: the citizen has answered the revisit.
	ErrHeard = errs.New(errs.Conflict, "tickets.heard", "the citizen has said how it is; what they said stands")
	// ErrNotAsked: the citizen has not been asked yet.
	ErrNotAsked = errs.New(errs.Conflict, "tickets.not_asked", "the citizen has not rated the answer; revisit them before closing")
	// ErrSameOfficer: the decision is for another officer.
	ErrSameOfficer = errs.New(errs.Forbidden, "tickets.same_officer", "another officer has to do this")
	// ErrAppealed: one appeal only.
	ErrAppealed = errs.New(errs.Conflict, "tickets.already_appealed", "this decision was already appealed once")
	// ErrNoReply: closing needs a reply text and an outcome.
	ErrNoReply = errs.New(errs.Conflict, "tickets.no_reply", "closing needs a reply and an outcome")
	// ErrCoordinate: the ticket went round too often; the hotline coordinates and designates. Args: dispatches.
	ErrCoordinate = errs.New(errs.Conflict, "tickets.needs_coordination", "this ticket was dispatched too often; coordinate and designate")
	// ErrTooEarly: coordination comes after several dispatches. Args: dispatches.
	ErrTooEarly = errs.New(errs.Conflict, "tickets.too_early_to_coordinate", "the ticket has not been dispatched often enough for this")
	// ErrRevisits: all tries of the revisit are used, or not yet. Args: tries.
	ErrRevisits = errs.New(errs.Conflict, "tickets.revisits", "the number of revisit tries does not allow this")
	// ErrUnsatisfied: the citizen says that it is not solved, or is not satisfied; the case is reopened or excluded, not closed.
	ErrUnsatisfied = errs.New(errs.Conflict, "tickets.unsatisfied", "the citizen is not satisfied; reopen the case, or ask for an exclusion with a reason")
	// ErrNotUnsatisfied: nobody said that the case is not solved.
	ErrNotUnsatisfied = errs.New(errs.Conflict, "tickets.not_unsatisfied", "only a case that the citizen is not satisfied with can be excluded")
	// ErrNotBelow: the agency does not stand below the one that hands the ticket down.
	ErrNotBelow = errs.New(errs.Invalid, "tickets.not_below", "a ticket is handed down to an agency of one's own tree").On("lead")
	// ErrNoneAbove: there is no agency above that could take it; ask for a transfer instead.
	ErrNoneAbove = errs.New(errs.Conflict, "tickets.none_above", "no agency above this one can take the ticket; return it or ask for a transfer")
	// ErrCoSigned: the co-agency has signed for its part already.
	ErrCoSigned = errs.New(errs.Conflict, "tickets.co_signed", "this agency has signed for its part already")
	// ErrCoOpen: agencies that were asked to help have not replied; an answer over them needs a reason. Args: agencies (their codes).
	ErrCoOpen = errs.New(errs.Conflict, "tickets.co_open", "co-agencies have not replied yet; an answer over them needs a reason")
	// ErrOrdered: a supervision order is open already.
	ErrOrdered = errs.New(errs.Conflict, "tickets.already_supervised", "a supervision order on this ticket still waits for its answer")
	// ErrNoOrder: there is no supervision order to answer or lift.
	ErrNoOrder = errs.New(errs.Conflict, "tickets.not_supervised", "there is no supervision order of this kind on the ticket")
	// ErrNoRectification: there is no rectification that waits for an answer.
	ErrNoRectification = errs.New(errs.Conflict, "tickets.no_rectification", "no rectification of this ticket waits for an answer")
	// ErrLinkUsed: the link for the assessment was used, has expired or never was one.
	ErrLinkUsed = errs.New(errs.NotFound, "tickets.link_used", "this link has been used already, or it is too old")
	// ErrReturnedBefore: the agency gave this ticket back before. Args: agency.
	ErrReturnedBefore = errs.New(errs.Conflict, "tickets.returned_before", "this agency has returned the ticket; only a designation can send it there again")
	// ErrRated: one rating for each ticket.
	ErrRated = errs.New(errs.Conflict, "tickets.already_rated", "this ticket is already rated")
	// ErrNotRatable: there is nothing to rate yet.
	ErrNotRatable = errs.New(errs.Conflict, "tickets.not_ratable", "a ticket can be rated once it has been answered")
	// ErrKeyReused: the same action key came with another action. Args: action.
	ErrKeyReused = errs.New(errs.Conflict, "tickets.key_reused", "this submission's key was used for something else")
	// ErrUnknownAgency, ErrUnknownCategory: not in the routing data.
	ErrUnknownAgency   = errs.New(errs.Invalid, "tickets.unknown_agency", "there is no such agency").On("lead")
	ErrUnknownCategory = errs.New(errs.Invalid, "tickets.unknown_category", "there is no such category").On("category")
	// ErrSameCategory: the case is filed there already.
	ErrSameCategory = errs.New(errs.Conflict, "tickets.same_category", "the ticket has this category already").On("category")
	// ErrUnknownUser: no active user of the agency.
	ErrUnknownUser = errs.New(errs.Invalid, "tickets.unknown_user", "there is no such person in this agency").On("assignee")
	// ErrBadCursor: a cursor of another view, or none at all.
	ErrBadCursor = errs.New(errs.Invalid, "tickets.bad_cursor", "this page marker does not belong to this list").On("cursor")
	// ErrNarrow: the filter would read too much.
	ErrNarrow = errs.New(errs.Unavailable, "tickets.narrow", "this filter takes too long; narrow it")
	// ErrTooManyTags, ErrTooManyFilters: more than one screen can hold. Args: limit.
	ErrTooManyTags    = errs.New(errs.Conflict, "tickets.too_many_tags", "this ticket has as many tags as it may have")
	ErrTooManyFilters = errs.New(errs.Conflict, "tickets.too_many_filters", "there are as many saved filters as there may be; delete one first")
	// ErrBadStop: a link that ends messages was not made here.
	ErrBadStop = errs.New(errs.NotFound, "tickets.bad_stop", "this link is not complete; copy all of it")
	// ErrTagNotFound: no such tag in the agency's vocabulary, or merged already.
	ErrTagNotFound = errs.New(errs.NotFound, "tickets.tag_not_found", "there is no such tag")
	// ErrTagExists: another tag has this name; merge them. Args: tag.
	ErrTagExists = errs.New(errs.Conflict, "tickets.tag_exists", "another tag has this name; merge the two")
	// ErrLinked: the two are linked like this already. Args: number.
	ErrLinked = errs.New(errs.Conflict, "tickets.already_linked", "the two tickets are linked already")
	// ErrUnknownVariable: a text holds a variable that nothing fills. Args: variable.
	ErrUnknownVariable = errs.New(errs.Invalid, "tickets.unknown_variable", "the text holds a variable that does not exist")
	// ErrMacroNotFound, ErrMacroStale: no such macro of the agency; somebody else changed it.
	ErrMacroNotFound = errs.New(errs.NotFound, "tickets.macro_not_found", "there is no such macro")
	ErrMacroStale    = errs.New(errs.Conflict, "tickets.macro_stale", "somebody else changed this macro in the meantime")
	// ErrTooMany: more tickets than one bulk action takes. Args: limit.
	ErrTooMany = errs.New(errs.Invalid, "tickets.too_many", "these are too many tickets for one action")
	// ErrBulkNotFound, ErrNotUndoable, ErrUndone: no such bulk action of the person; nothing of it can be taken back; it was taken back already.
	ErrBulkNotFound = errs.New(errs.NotFound, "tickets.bulk_not_found", "there is no such bulk action")
	ErrNotUndoable  = errs.New(errs.Conflict, "tickets.not_undoable", "this cannot be taken back")
	ErrUndone       = errs.New(errs.Conflict, "tickets.undone", "this was taken back already")
	// ErrUnknownField, ErrFieldType, ErrFieldNeeded: what came with a filing does not fit the fields of its category. Field is fields.<code>; Args: field, type.
	ErrUnknownField = errs.New(errs.Invalid, "tickets.unknown_field", "the category has no such field that a citizen is asked for")
	ErrFieldType    = errs.New(errs.Invalid, "tickets.field_type", "the value does not fit the type of the field")
	ErrFieldNeeded  = errs.New(errs.Invalid, "tickets.field_needed", "the category needs this field")
	// ErrFieldExists: the category has a field with this code. Args: code. ErrFieldStale: somebody else changed the definition.
	ErrFieldExists = errs.New(errs.Conflict, "tickets.field_exists", "the category has a field with this code")
	ErrFieldStale  = errs.New(errs.Conflict, "tickets.field_stale", "somebody else changed this field in the meantime")
	// ErrFilterNotFound: no such saved filter of the person or their agency.
	ErrFilterNotFound = errs.New(errs.NotFound, "tickets.filter_not_found", "there is no such saved filter")
	// ErrMassConfidential: a mass event is for everybody to see, a confidential ticket for nobody.
	ErrMassConfidential = errs.New(errs.Conflict, "tickets.mass_confidential", "a confidential ticket cannot become a mass event")
	// ErrNotMass: no mass event, and no ticket is merged into it.
	ErrNotMass = errs.New(errs.Conflict, "tickets.not_mass", "this ticket stands for no other reports")
	// ErrUnknownView: no such built-in view.
	ErrUnknownView = errs.New(errs.Invalid, "tickets.unknown_view", "there is no such view").On("view")
	// ErrUnknownSetting: there is no policy set, calendar or version of this name.
	ErrUnknownSetting = errs.New(errs.NotFound, "tickets.unknown_setting", "there is no such policy set, calendar or version")
	// ErrBadSetting: a policy set or calendar is not valid. The cause is a *sla.Problem that says why.
	ErrBadSetting = errs.New(errs.Invalid, "tickets.bad_setting", "the policies or the calendar are not valid")
	// ErrSettingStale: someone else edited or published the same policies or calendar.
	ErrSettingStale = errs.New(errs.Conflict, "tickets.setting_stale", "someone else changed these policies or this calendar in the meantime")
	// ErrNoDraft: nothing is being edited, so there is nothing to publish.
	ErrNoDraft = errs.New(errs.Conflict, "tickets.no_draft", "nothing has been changed, so there is nothing to publish")
)

// Narrow turns a statement that was cancelled because it took too long into ErrNarrow.
func Narrow(step string, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "57014" {
		return ErrNarrow.Wrap(err)
	}
	return wrap(step, err)
}
