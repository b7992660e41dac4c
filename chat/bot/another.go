package bot

import (
	"context"
	"strconv"

	"hotline/chat/bot/hear"
)

// The decision form of the article told last, for somebody else: "and my father-in-law?", "he is 64".

// formAbout gives the form of the article told last with its answer, when it has one.
func (p *Policy) formAbout(ctx context.Context, t *turn) (a Answer, ok bool) {
	if t.st.About == nil || p.kb == nil || t.st.Form != nil {
		return a, false
	}
	a, err := p.kb.ByID(ctx, t.st.About.ArticleID, t.lang)
	return a, err == nil && a.Form != nil && len(a.Citations) > 0
}

// tellsOfAnother begins the form anew with what a text tells of somebody: "my neighbour is 71, can she get it too?". It reports false for a
// text that tells nothing the form asks, or that another article answers.
func (p *Policy) tellsOfAnother(ctx context.Context, t *turn, r *reading, own Answer) bool {
	if own.Outcome == OutcomeAnswer && own.Citations[0].ArticleID != t.st.About.ArticleID || r.has("problem", "insist", "file") {
		return false
	}
	a, ok := p.formAbout(ctx, t)
	if !ok || len(hear.Facts(a.Form, r.text)) == 0 {
		return false
	}
	p.beginGuide(t, a, r.text)
	return true
}

// offerFor offers the form when a text asks the same for somebody else and tells nothing yet.
func (p *Policy) offerFor(ctx context.Context, t *turn, r *reading) bool {
	if !r.has("relative") {
		return false
	}
	a, ok := p.formAbout(ctx, t)
	if !ok {
		return false
	}
	p.askGuideOffer(t, "guide.offer_for", a)
	return true
}

// askGuideOffer asks whether to go through the form of an article.
func (p *Policy) askGuideOffer(t *turn, key string, a Answer) {
	n := a.Form.Longest(nil)
	if n == 1 {
		key += "_one"
	}
	m := p.say(t, key, "n", strconv.Itoa(n))
	m.Ask, t.st.Waiting = AskHelped, waitGuide
	p.offer(t, m, "guide:start", "helped", "not_helped")
	m.Choices[1].Label = p.tx.t(t.lang, "choice.guide:no")
}

// withoutRelatives takes the people out of a topic: for whom something is asked is not what is asked.
func (p *Policy) withoutRelatives(words string) string {
	r := p.lex.read(words)
	out := []byte(r.text)
	for _, m := range r.found {
		if m.class == "relative" {
			for i := r.toks[m.from].start; i < r.toks[m.to-1].end; i++ {
				out[i] = ' '
			}
		}
	}
	return string(out)
}

// topicWords counts the words of a topic that tell something.
func (p *Policy) topicWords(words string) int {
	_, of := hear.Overlap("", words)
	return of
}
