package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Env is what the policy must know about the installation.
type Env struct {
	Now  func() time.Time
	Zone *time.Location // for times told to citizens; nil is UTC
	// Duty tells whether a person is on duty and, when not, when the next duty begins (zero: unknown). Nil means always.
	Duty func(now time.Time) (open bool, next time.Time)
	// Numbers are the emergency numbers of the jurisdiction; the one under "" serves where a service has none of its own.
	Numbers map[Service]string
	// Name is the hotline's name by language; where it is missing the name is made of City's.
	Name map[string]string
	City map[string]string
	// Phone is the hotline's telephone number, and Hours says in words, by language, when people answer. Both may be empty.
	Phone string
	Hours map[string]string
	// Channels overrides, by scope and language, the text that names the right channel for a matter that is not the hotline's.
	Channels map[Scope]map[string]string
}

// Options make a Policy. Knowledge, Tickets and Classifier may be nil: the bot then does without.
type Options struct {
	Env Env
	// Live gives the Env of this moment where the installation's can change while it runs; Env is then not asked for.
	Live       func() Env
	Knowledge  Knowledge
	Tickets    Tickets
	Classifier Classifier
	Fields     Fields     // may be nil: nothing is asked beside what every ticket has
	LLM        LLM        // may be nil: answers are the articles' own words
	Categories Categories // what the LLM may choose from; may be nil
	// CategoryScore is the probability from which a category is put into the draft; 0 means 0.5.
	CategoryScore float64
}

// Policy decides the next turn.
type Policy struct {
	env       func() Env
	emergency *Emergency
	lex       *lexicon
	tx        texts
	foreign   []foreign
	kb        Knowledge
	tickets   Tickets
	classify  Classifier
	fields    Fields
	llm       LLM
	offered   Categories
	minScore  float64
}

// New makes a policy. It returns an error when the embedded data is broken or Env.Now is missing.
func New(o Options) (*Policy, error) {
	if o.Live == nil {
		if o.Env.Zone == nil {
			o.Env.Zone = time.UTC
		}
		o.Live = func() Env { return o.Env }
	}
	if o.Live().Now == nil {
		return nil, fmt.Errorf("bot: Env.Now is missing")
	}
	e, err := NewEmergency(nil)
	if err != nil {
		return nil, err
	}
	abroad, err := loadForeign(dataFS)
	if err != nil {
		return nil, err
	}
	e.numbers = func() map[Service]string { return o.Live().Numbers }
	if o.CategoryScore == 0 {
		o.CategoryScore = 0.5
	}
	return &Policy{env: o.Live, emergency: e, lex: e.lex, tx: e.tx, foreign: abroad, kb: o.Knowledge, tickets: o.Tickets, classify: o.Classifier, fields: o.Fields, llm: o.LLM, offered: o.Categories, minScore: o.CategoryScore}, nil
}

// Emergency gives the detector, for the intake.
func (p *Policy) Emergency() *Emergency { return p.emergency }

// Langs lists the languages the bot speaks.
func (p *Policy) Langs() []string { return p.tx.langs() }

// Greeting is what a new conversation shows before anybody has said anything.
func (p *Policy) Greeting(lang string) Message {
	lang = p.speak(lang)
	return Message{Text: p.tx.t(lang, "greeting", "name", p.name(lang)), Choices: p.choices(lang, "file", "status", "human")}
}

// Invite asks for an assessment of a ticket that was answered; the next turn understands the grade. State is the conversation's.
func (p *Policy) Invite(st State, ticketID, number, lang string) (Message, State) {
	st = st.clone()
	if lang = p.speak(lang); st.Lang == "" {
		st.Lang = lang
	}
	st.Rating, st.Waiting = &Rating{TicketID: ticketID}, AskRating
	m := p.ratingMessage(lang, "rate.invite", "number", number)
	st.Offered = m.Choices
	return m, st
}

// Revisit asks whether the matter of a ticket is solved; the next turns understand the answer and the grade after it. State is the conversation's.
func (p *Policy) Revisit(st State, ticketID, number, lang string) (Message, State) {
	st = st.clone()
	if lang = p.speak(lang); st.Lang == "" {
		st.Lang = lang
	}
	st.Rating, st.Waiting = &Rating{TicketID: ticketID}, AskSolved
	m := Message{Text: p.tx.t(lang, "revisit.ask", "number", number), Ask: AskSolved, Choices: p.choices(lang, "solved", "not_solved", "human")}
	st.Offered = m.Choices
	return m, st
}

// turn is one reply in the making.
type turn struct {
	st    *State
	reply *Reply
	lang  string
	lead  string // a sentence to put before the next prompt
	// goingOn: the bot had just offered to pass something on, and the citizen goes on telling.
	goingOn bool
	trouble string         // what was told before this text
	parted  bool           // the text tells of several troubles; the citizen is still to be asked whether that is so
	call    string         // of the model that put the question in full
	read    func(*reading) // looks, with a model, for slots that the rules have not found
}

// say adds a message with quick replies.
func (p *Policy) say(t *turn, key string, pairs ...string) *Message {
	t.reply.Messages = append(t.reply.Messages, Message{Text: p.tx.t(t.lang, key, pairs...)})
	return &t.reply.Messages[len(t.reply.Messages)-1]
}

func (p *Policy) offer(t *turn, m *Message, ids ...string) { m.Choices = p.choices(t.lang, ids...) }

func (p *Policy) choices(lang string, ids ...string) []Choice {
	out := make([]Choice, len(ids))
	for i, id := range ids {
		out[i] = Choice{ID: id, Label: p.tx.t(lang, "choice."+id)}
	}
	return out
}

func (p *Policy) name(lang string) string {
	if n := p.env().Name[lang]; n != "" {
		return n
	}
	if c := p.env().City[lang]; c != "" {
		return p.tx.t(lang, "name.city", "city", c)
	}
	return p.tx.t(lang, "name")
}

// speak gives the language to answer in when lang is asked for.
func (p *Policy) speak(lang string) string {
	if _, ok := p.tx[lang]; ok {
		return lang
	}
	base, _, _ := strings.Cut(lang, "-")
	for _, l := range p.tx.langs() {
		if b, _, _ := strings.Cut(l, "-"); b == base {
			return l
		}
	}
	return fallback
}

// Turn answers what the citizen sent since the last turn; lang is the language of the conversation as its page or channel knows it. The
// bot goes on in the language of the last turn until the page's language changes or the citizen types, or asks for, another. A failure of Knowledge or Tickets is told to the citizen in words and listed in Reply.Problems; the only
// error returned is that of a context that ended, and the state is then unchanged.
func (p *Policy) Turn(ctx context.Context, old State, in []Input, lang string) (Reply, State, error) {
	st := old.clone()
	if st.Lang == "" || lang != st.Page {
		st.Lang = p.speak(lang)
	}
	st.Page = lang
	reply := Reply{}
	t := &turn{st: &st, reply: &reply, lang: p.speak(st.Lang)}
	t.read = func(r *reading) { p.readSlots(ctx, t, r) }
	for i, one := range p.merge(in, st.Form != nil) {
		if i > 0 {
			reply.Messages = settled(reply.Messages)
		}
		if i > 0 && t.st.Form != nil && p.another(t, one) {
			continue
		}
		p.step(ctx, t, one)
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, old, err
	}
	st.Lang, reply.Lang = t.lang, t.lang
	p.finish(t)
	return reply, st, nil
}

// settled leaves out prompts that the next input of the same turn has already answered.
func settled(ms []Message) []Message {
	var out []Message
	for _, m := range ms {
		switch m.Ask {
		case "":
			m.Choices = nil
			out = append(out, m)
		case AskArticle: // the articles to choose from are an answer of their own, and can be tapped at any time
			m.Ask = ""
			m.Choices = slices.DeleteFunc(m.Choices, func(c Choice) bool { return !strings.HasPrefix(c.ID, "article:") })
			out = append(out, m)
		}
	}
	return out
}

// finish makes sure that a person is one step away and remembers the quick replies.
func (p *Policy) finish(t *turn) {
	ms := t.reply.Messages
	if len(ms) == 0 {
		return
	}
	last := &ms[len(ms)-1]
	if t.reply.HandOff == nil && !offers(last.Choices, "human") && !offers(last.Choices, "wait") {
		last.Choices = append(last.Choices, p.choices(t.lang, "human")...)
	}
	if g := t.st.Guide; g != nil && g.Paused && t.st.Form == nil && t.reply.HandOff == nil && !t.reply.Close && !offers(last.Choices, "guide:resume") {
		last.Choices = append(last.Choices, Choice{ID: "guide:resume", Label: p.tx.t(t.lang, "choice.guide:back_to", "title", cut(g.Article.Title, 40))})
	}
	t.st.Offered = last.Choices
}

func offers(cs []Choice, id string) bool {
	for _, c := range cs {
		if c.ID == id {
			return true
		}
	}
	return false
}

// language decides in which language to go on. A short word, an address or a name switches nothing.
func (p *Policy) language(t *turn, r *reading) {
	least := 2
	if f := t.st.Form; f != nil && (f.Asked == AskWhere || f.Asked == AskContact || strings.HasPrefix(f.Asked, detailPrefix)) {
		least = 5
	}
	if len(t.st.Offered) > 0 && r.mostly("thanks", "yes", "no", "bye") {
		return // "thank you" and "ok" belong to every language
	}
	words := r
	if r.email != "" { // an address is written in Latin letters everywhere
		v := p.lex.read(withoutContact(r.text, "", r.email, " "))
		words = &v
	}
	script := words.dominant(least)
	if script == "" || script == p.lex.scripts[t.lang] {
		return
	}
	for _, l := range p.lex.langs {
		if p.lex.scripts[l] == script {
			t.lang, t.st.Lang = l, l
			return
		}
	}
}

// step handles one input.
func (p *Policy) step(ctx context.Context, t *turn, in Input) {
	r := p.lex.read(in.Text)
	if word := gesture(in.Text); word != "" && r.empty() {
		r = p.lex.read(word)
	}
	if in.Choice == "" {
		in.Choice = chosen(t.st.Offered, &r)
		if in.Choice == "" {
			p.language(t, &r)
		}
	}
	shelved, alerted := t.st.Shelved, t.st.Alerted
	t.st.Shelved, t.st.Alerted = nil, false
	if in.Choice == "" {
		if s, ok := detect(r.toks, r.found); ok {
			p.alarm(t, s, &r, in)
			return
		}
		if alerted && p.afterAlarm(t, &r) {
			return
		}
		t.st.Alarm, t.st.Consoled = "", false
		if l := r.lastSuffixed("speak."); l != "" && r.rest("speak.en", "speak.zh-CN", "question", "thanks", "yes", "undo") <= 2*r.slack() && p.tx[l] != nil {
			t.lang, t.st.Lang = l, l
			p.say(t, "speak")
			switch g := t.st.Guide; {
			case t.st.Form != nil:
				p.next(t)
			case g != nil && !g.Paused && !g.Done:
				if f, _, ok := p.guideForm(ctx, t); ok {
					p.askGuide(t, f)
				}
			}
			return
		}
	} else if alerted && in.Choice == "human" {
		p.person(t, HandOffEmergency)
		return
	} else if p.choose(ctx, t, in.Choice, shelved, &r) {
		t.st.Misses = 0
		return
	}
	if f := t.st.Form; f != nil {
		p.inForm(ctx, t, &r, in)
		return
	}
	if (in.Attachments > 0 || in.Place != nil) && r.empty() {
		if t.st.Guide != nil {
			t.st.Guide.Paused = true
		}
		p.bare(t, in)
		return
	}
	if g := t.st.Guide; g != nil {
		if !g.Paused && !g.Done && p.inGuide(ctx, t, &r, in) || (g.Paused || g.Done) && p.guideAgain(ctx, t, &r) {
			t.st.Misses = 0
			return
		}
	}
	p.fresh(ctx, t, &r, in, shelved)
}

// gesture is the word that a message of nothing but a sign stands for, "" for others.
func gesture(s string) string {
	switch {
	case strings.ContainsAny(s, "👍👌✅"):
		return "ok"
	case strings.ContainsAny(s, "👎"):
		return "no"
	case strings.ContainsAny(s, "🙏❤"):
		return "thanks"
	}
	return ""
}

// chosen finds the quick reply that was typed instead of tapped: its label, or its number in the list.
func chosen(offered []Choice, r *reading) string {
	s := plain(r.text)
	if s == "" {
		return ""
	}
	for i, c := range offered {
		if s == plain(c.Label) || s == Typed(offered, i) && !graded(offered) {
			return c.ID
		}
	}
	return ""
}

// Typed is what a person types for the i-th of the quick replies where nothing can be tapped: its number in the list, the grade where the replies are
// grades, and "", which is the label, where a number would be an answer to what was asked.
func Typed(offered []Choice, i int) string {
	grade, rated := strings.CutPrefix(offered[i].ID, "rate:")
	switch {
	case rated:
		return grade
	case i >= 9 || graded(offered):
		return ""
	}
	return string(rune('1' + i))
}

// graded reports whether the quick replies are grades, or wait for a typed answer: a number then means itself and not the place in the list.
func graded(cs []Choice) bool {
	if len(cs) == 0 {
		return false
	}
	first := cs[0].ID
	return strings.HasPrefix(first, "rate:") || first == "skip_detail" || first == "guide:back" || first == "guide:stop" ||
		strings.HasPrefix(first, guidePrefix) && strings.HasSuffix(first, ":unsure")
}

// plain is a text without case, width and punctuation around it.
func plain(s string) string {
	return strings.Trim(strings.ToLower(narrowAll(s)), " \n.,!?。、\"'“”")
}

// bare handles a file or a place that comes without words and without a form.
func (p *Policy) bare(t *turn, in Input) {
	t.st.Form = &Form{Draft: Draft{Attachments: in.Attachments, Lang: t.lang}}
	t.st.Form.locate(in.Place)
	t.st.Form.Asked = AskWhat
	key := "bare.file"
	if in.Attachments == 0 {
		key = "bare.place"
	}
	m := p.say(t, key)
	m.Ask = AskWhat
	p.offer(t, m, "cancel", "human")
}

// locate takes a place that was shared.
func (d *Draft) locate(pl *Place) {
	if pl == nil || !(pl.Lat >= -90 && pl.Lat <= 90 && pl.Lon >= -180 && pl.Lon <= 180) {
		return
	}
	lat, lon := pl.Lat, pl.Lon
	d.Lat, d.Lon = &lat, &lon
	if label := cut(clean(pl.Label), maxPlace); label != "" {
		d.Place = label
	}
}

func (p *Policy) category(text string) string {
	if p.classify == nil || text == "" {
		return ""
	}
	if g := p.classify.Predict(text); len(g) > 0 && g[0].Score >= p.minScore {
		return g[0].Label
	}
	return ""
}
