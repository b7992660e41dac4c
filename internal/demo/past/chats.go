package past

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/chat"
)

// talks is how many chats there were. A few are enough for rates to mean something; each is a handful of rows.
const talks = 96

// talk is a chat and what will become of it.
type talk struct {
	lang   string
	asks   []string
	person bool          // wants a person
	wait   time.Duration // until one comes; 0: nobody comes, and the citizen goes back to the bot
	grade  int           // 0: says nothing
}

// chats are the conversations on the city's pages: most are answered from the articles, some want a person, a few ask what no article knows.
func (p *player) chats() {
	c := *p
	c.rand = rand.New(rand.NewPCG(seed, talks)) // chance of its own: a chat more or less changes no case
	asked := map[string][]string{}
	for _, a := range p.City.Articles {
		if a.Audience != "public" || a.Form != "" {
			continue
		}
		for _, q := range a.Questions {
			if _, danger := p.danger.Detect(q); !danger { // it would open a case, and nobody leaves a gas leak lying
				asked[a.Lang] = append(asked[a.Lang], q)
			}
		}
	}
	for i := range talks {
		t := talk{lang: pick(&c, []string{"zh-CN", "zh-CN", "en"}), person: c.chance(30)}
		t.asks = append(t.asks, pick(&c, asked[t.lang]))
		if c.chance(35) {
			t.asks = append(t.asks, pick(&c, asked[t.lang]))
		}
		if c.chance(14) {
			t.asks, t.person = []string{pick(&c, p.words.Chats.Unknown[t.lang])}, c.chance(60)
		}
		switch r := c.rand.IntN(100); {
		case r < 80:
			t.wait = c.between(4*time.Second, 15*time.Second)
		case r < 94:
			t.wait = c.between(15*time.Second, 80*time.Second)
		}
		if c.chance(70) {
			t.grade = pick(&c, []int{5, 5, 5, 4, 4, 4, 3, 2, 1})
		}
		p.at(c.moment(), func() error { return c.talk(i, t) })
	}
}

// talk plays one chat from its first word to its last. It touches no ticket, so the clock then goes back to where it began, for what else happened in those minutes.
func (p *player) talk(n int, t talk) error {
	began := p.Clock.Now()
	defer func() { p.Clock.Set(began) }()
	thread := fmt.Sprintf("past-chat-%03d", n)
	said := 0
	say := func(text, choice string) (uuid.UUID, error) {
		said++
		got, err := p.Chat.Ingest(p.ctx, channels.Inbound{Channel: channels.Web, Account: "past", Thread: thread, ExternalID: fmt.Sprint(said), Text: text, Choice: choice, Lang: t.lang, At: p.Clock.Now()})
		return got.ConversationID, err
	}
	var id uuid.UUID
	for _, text := range t.asks {
		var err error
		if id, err = say(text, ""); err != nil {
			return p.failed("chat", err)
		}
		if err := p.Chat.TakeTurn(p.ctx, id); err != nil {
			return p.failed("the bot's turn", err)
		}
		p.later(20*time.Second, 90*time.Second)
	}
	if t.person {
		if err := p.person(id, t, say); err != nil {
			return err
		}
	}
	if t.grade > 0 {
		p.later(5*time.Second, 40*time.Second)
		if _, err := say(p.words.Chats.Grades[t.lang][t.grade-1], fmt.Sprintf("rate_chat:%d", t.grade)); err != nil {
			return p.failed("grade a chat", err)
		}
		return p.failed("the bot's turn", p.Chat.TakeTurn(p.ctx, id))
	}
	return nil
}

// person is the part of a chat in which somebody is asked for.
func (p *player) person(id uuid.UUID, t talk, say func(text, choice string) (uuid.UUID, error)) error {
	if err := p.Chat.AskHuman(p.ctx, id); err != nil {
		return p.failed("ask for a person", err)
	}
	if t.wait == 0 {
		p.later(3*time.Minute, 8*time.Minute)
		return p.failed("leave the queue", p.Chat.LeaveQueue(p.ctx, id))
	}
	p.Clock.Set(p.Clock.Now().Add(t.wait))
	by := p.desk("operator", false).actor().DB
	if err := p.Chat.TakeOver(p.ctx, by, id); err != nil {
		return p.failed("take a chat over", err)
	}
	p.later(20*time.Second, 90*time.Second)
	if _, err := p.Chat.Post(p.ctx, by, id, chat.Outgoing{Text: pick(p, p.words.Chats.Staff[t.lang])}); err != nil {
		return p.failed("answer in a chat", err)
	}
	p.later(15*time.Second, 60*time.Second)
	if _, err := say(pick(p, p.words.Chats.Thanks[t.lang]), ""); err != nil {
		return p.failed("chat", err)
	}
	p.later(10*time.Second, 60*time.Second)
	return p.failed("close a chat", p.Chat.Close(p.ctx, by, id))
}

// later lets some time pass, though never beyond the end of the past.
func (p *player) later(from, to time.Duration) {
	if t := p.Clock.Now().Add(p.between(from, to)); t.Before(p.now) {
		p.Clock.Set(t)
	}
}
