package bot

import (
	"slices"
	"strings"
	"sync"
)

// Service is who is needed in an emergency.
type Service string

// The services, in the order in which they win when a text names several.
const (
	Fire     Service = "fire"
	Gas      Service = "gas"
	Water    Service = "water"
	SelfHarm Service = "self_harm"
	Medical  Service = "medical"
	Police   Service = "police"
)

var services = []Service{Fire, Gas, Water, SelfHarm, Medical, Police}

// Emergency finds danger to life in a text. It is pure and cheap enough to run on every message at intake.
//
// Cues are strong ("my house is on fire"), weak ("gas leak") or still ("not moving", which may be a bicycle: it counts for nothing where a thing is
// named and nobody in the whole text). Masked phrases ("fire hydrant") count for nothing. A cue is left out when
// it is directly negated, supposed ("if there is a fire") or past ("last year"), and a weak one also in a question for information
// ("how do I prevent"); words of the present ("now", "help") overrule past and supposed, and talk of suicide is never explained away as
// past. In doubt it reports an emergency: a number too many does less harm than one too few.
type Emergency struct {
	lex     *lexicon
	tx      texts
	numbers func() map[Service]string
}

// shippedCues are read once for all detectors and policies: nothing changes them.
var shippedCues = sync.OnceValues(func() (*lexicon, error) { return loadLexicon(dataFS) })

// NewEmergency makes a detector with the numbers of the jurisdiction; the number under "" is for services without one of their own.
// It returns an error only when the embedded data is broken.
func NewEmergency(numbers map[Service]string) (*Emergency, error) {
	lex, err := shippedCues()
	if err != nil {
		return nil, err
	}
	tx, err := loadTexts(dataFS)
	if err != nil {
		return nil, err
	}
	return &Emergency{lex: lex, tx: tx, numbers: func() map[Service]string { return numbers }}, nil
}

// Detect reports the service that a text calls for.
func (e *Emergency) Detect(text string) (Service, bool) {
	toks := e.lex.tokens(clean(text))
	return detect(toks, e.lex.find(toks))
}

// Number gives the number of a service, "" when the jurisdiction names none.
func (e *Emergency) Number(s Service) string {
	numbers := e.numbers()
	if n := numbers[s]; n != "" {
		return n
	}
	return numbers[""]
}

// Message is what the citizen reads at once.
func (e *Emergency) Message(s Service, lang string) Message {
	number := e.Number(s)
	key := "emergency." + string(s)
	if number == "" {
		number = e.tx.t(lang, "emergency.no_number")
	}
	return Message{
		Text: e.tx.t(lang, key, "emergency_number", number),
		Choices: []Choice{
			{ID: "human", Label: e.tx.t(lang, "choice.human_now")},
			{ID: "false_alarm", Label: e.tx.t(lang, "choice.false_alarm")},
		},
	}
}

func detect(toks []token, found []match) (Service, bool) {
	type around struct{ past, supposed, inquiry, present, thing bool }
	sentences := map[int]*around{}
	masked := make([]bool, len(toks))
	negated := make([]bool, len(toks)+1) // negated[i]: a negation ends right before token i
	var cues, somebody []match
	for _, m := range found {
		kind, ok := strings.CutPrefix(m.class, "emergency.")
		if !ok {
			continue
		}
		s := sentences[toks[m.from].sentence]
		if s == nil {
			s = &around{}
			sentences[toks[m.from].sentence] = s
		}
		switch kind {
		case "mask":
			for i := m.from; i < m.to; i++ {
				masked[i] = true
			}
		case "past":
			s.past = true
		case "supposed":
			s.supposed = true
		case "inquiry":
			s.inquiry = true
		case "present":
			s.present = true
		case "thing":
			s.thing = true
		case "somebody":
			somebody = append(somebody, m)
		case "negation":
			negated[m.to] = true
		default:
			cues = append(cues, m)
		}
	}
	person := slices.ContainsFunc(somebody, func(m match) bool { return !negated[m.from] && !anyOf(masked[m.from:m.to]) })
	hit := map[Service]bool{}
	for _, m := range cues {
		name, strength, _ := strings.Cut(strings.TrimPrefix(m.class, "emergency."), ".")
		s, service := sentences[toks[m.from].sentence], Service(name)
		if negated[m.from] || anyOf(masked[m.from:m.to]) {
			continue
		}
		if !s.present && (s.supposed || s.past) && service != SelfHarm {
			continue
		}
		if strength == "weak" && s.inquiry && !s.present || strength == "still" && s.thing && !person {
			continue
		}
		hit[service] = true
	}
	for _, s := range services {
		if hit[s] {
			return s, true
		}
	}
	return "", false
}

func anyOf(bits []bool) bool {
	for _, b := range bits {
		if b {
			return true
		}
	}
	return false
}
