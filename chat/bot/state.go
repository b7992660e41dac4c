package bot

import (
	"encoding/json"
	"slices"
)

// stateVersion changes when a field changes its meaning. A state of another version is started anew, in the same language, rather than
// misread: the messages themselves are kept by the conversation.
const stateVersion = 1

// State is what the bot remembers of a conversation between two turns. The zero value is a new conversation. It is stored as JSON
// beside the conversation and holds no tracking code.
type State struct {
	V        int       `json:"v"`
	Lang     string    `json:"lang,omitempty"`
	Page     string    `json:"page,omitempty"` // the language of the page or channel at the last turn
	Greeted  bool      `json:"greeted,omitempty"`
	Waiting  string    `json:"waiting,omitempty"`  // what the last message asked for outside a form: Ask… or a wait… value
	Form     *Form     `json:"form,omitempty"`     // the ticket being written
	Shelved  *Form     `json:"shelved,omitempty"`  // a cancelled form, for one turn, so that a slip can be undone
	Question string    `json:"question,omitempty"` // the last question, to file it when no answer helped
	Cited    *Citation `json:"cited,omitempty"`    // the answer that waits for "did this help?"
	Offered  []Choice  `json:"offered,omitempty"`  // quick replies of the last message, so that a typed label or number works too
	Alerted  bool      `json:"alerted,omitempty"`  // the last message was an emergency
	Alarm    Service   `json:"alarm,omitempty"`    // which one it was
	Consoled bool      `json:"consoled,omitempty"` // the citizen was answered since that emergency
	About    *Citation `json:"about,omitempty"`    // the article told last, for "and what does it cost?"
	Want     string    `json:"want,omitempty"`     // the aspect that was asked for before the service was named
	Later    []Matter  `json:"later,omitempty"`    // other troubles told with the one of the form, or while it was open, each a ticket of its own
	Misses   int       `json:"misses,omitempty"`   // turns in a row that were not understood
	Said     []string  `json:"said,omitempty"`     // statements before a ticket is begun: a trouble told in pieces
	Name     string    `json:"name,omitempty"`     // told in a greeting, for the ticket that may come
	SaidAge  int       `json:"said_age,omitempty"` // questions asked since
	Rating   *Rating   `json:"rating,omitempty"`
	Guide    *Guide    `json:"guide,omitempty"` // the decision form being walked, or waiting
}

// Form is a ticket being written.
type Form struct {
	Draft
	Asked       string `json:"asked,omitempty"` // the slot asked for last
	NoPlace     bool   `json:"no_place,omitempty"`
	ContactDone bool   `json:"contact_done,omitempty"`
	KindSaid    bool   `json:"kind_said,omitempty"` // in the citizen's own words, not guessed
	Last        string `json:"last,omitempty"`      // the slot filled last, for "no, it is …"
	Tries       int    `json:"tries,omitempty"`     // how often the same slot got an unusable answer
	InChat      bool   `json:"in_chat,omitempty"`   // a report that the citizen wants to make here
	Hint        string `json:"hint,omitempty"`      // words about the matter that are too few for a description
	// DetailsDone are the codes of the details that were told or skipped.
	DetailsDone []string `json:"details_done,omitempty"`
}

// Other things State.Waiting can be.
const (
	waitReport  = "report"  // the citizen was shown the confidential page
	waitScope   = "scope"   // the citizen was told that the matter belongs elsewhere
	waitDuty    = "duty"    // nobody is on duty
	waitClarify = "clarify" // one question to understand the citizen
	waitFile    = "file"    // filing the last question was offered
	waitChange  = "change"  // which part of the summary is wrong
	waitSolved  = "solved"  // thanks after an answer: may it be noted as solved?
	waitAsk     = "ask"     // a question in the middle of a form
)

// DecodeState reads a stored state. It never fails: nothing, garbage and other versions give a new state.
func DecodeState(raw []byte) State {
	var st State
	if json.Unmarshal(raw, &st) != nil || st.V != stateVersion {
		return State{V: stateVersion, Lang: st.Lang}
	}
	return st
}

// Encode gives the JSON to store.
func (st State) Encode() []byte {
	st.V = stateVersion
	raw, err := json.Marshal(st)
	if err != nil { // only numbers that JSON has no form for, and those never enter a state
		return []byte("{}")
	}
	return raw
}

// clone lets a turn change its copy without touching the caller's.
func (st State) clone() State {
	st.V = stateVersion
	st.Offered, st.Later, st.Said = slices.Clone(st.Offered), slices.Clone(st.Later), slices.Clone(st.Said)
	if st.Form != nil {
		f := *st.Form
		st.Form = &f
	}
	if st.Guide != nil {
		st.Guide = st.Guide.clone()
	}
	if st.Shelved != nil {
		f := *st.Shelved
		st.Shelved = &f
	}
	return st
}
