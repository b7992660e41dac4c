package knowledge

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"hotline/internal/db"
)

// Signals are what citizens' words and clicks say about which article is right for a question: a bounded boost for (the words of the question →
// article). A question counts as the same when it has the same words, whatever their order. Without signals nothing is changed at all.
//
// One person cannot do much: a conversation counts once for a question and an article and for at most maxKeys questions in all; clicks on the
// portal, where nobody is told from anybody else, count once a day; and fewer than two conversations or days say nothing. Old signals fade.
type signals map[uint64]map[uuid.UUID]float64

const (
	mostBoost   = 0.10 // of the rank, and added to the deciding score
	leastVoices = 2    // conversations and days that must agree before anything counts
	halfBoost   = 3.0  // weight at which half of mostBoost is reached
	halfLife    = 60   // days
	signalDays  = 180
	maxKeys     = 5
	maxSignals  = 200000
	clickWeight = 0.3 // of a click on the first result against a "this helped"
)

// vote is one row of answers that says something.
type vote struct {
	Question     string
	Article      uuid.UUID
	Conversation *uuid.UUID
	At           time.Time
	Helped       *bool
	Place        *int
}

const sqlVotes = `select question, article_id, conversation_id, at, helped, place from answers
	where article_id is not null and question <> '' and by <> 'staff' and at > $1 and (helped is not null or place is not null) order by id desc limit $2`

// LoadSignals reads the signals afresh. Errors: the database's; the signals stay as they were.
func (s *Service) LoadSignals(ctx context.Context) error {
	now := s.Clock.Now()
	var votes []vote
	err := db.ReadTx(ctx, s.Pool, db.System(), func(tx db.Tx) error {
		rows, err := tx.Query(ctx, sqlVotes, now.AddDate(0, 0, -signalDays), maxSignals)
		if err == nil {
			votes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[vote])
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read signals: %w", err)
	}
	s.signals.Store(learnSignals(votes, now))
	return nil
}

// questionKey is the words of a question, whatever their order; 0 for one that says nothing.
func questionKey(text string) uint64 {
	var hs []uint32
	for _, w := range subject("", text) {
		if w.decide >= charWeight && w.Kind != Char || w.decide >= loneWeight {
			hs = append(hs, hashTerm(w.Text))
		}
	}
	if len(hs) == 0 {
		return 0
	}
	slices.Sort(hs)
	key := uint64(14695981039346656037)
	for _, h := range slices.Compact(hs) {
		key = (key ^ uint64(h)) * 1099511628211
	}
	return key
}

// learnSignals makes boosts of votes, the newest first.
func learnSignals(votes []vote, now time.Time) *signals {
	type of struct {
		key     uint64
		article uuid.UUID
	}
	type voice struct {
		of
		who string // a conversation, or a day on the portal
	}
	weight, voices := map[of]float64{}, map[of]int{}
	heard := map[voice]bool{}
	keys := map[string]map[uint64]bool{}
	for _, v := range votes {
		key := questionKey(v.Question)
		if key == 0 {
			continue
		}
		who := "day " + v.At.UTC().Format(time.DateOnly)
		if v.Conversation != nil {
			who = v.Conversation.String()
			if keys[who] == nil {
				keys[who] = map[uint64]bool{}
			}
			if keys[who][key] = true; len(keys[who]) > maxKeys {
				delete(keys[who], key)
				continue
			}
		}
		o := of{key, v.Article}
		if heard[voice{o, who}] {
			continue
		}
		heard[voice{o, who}] = true
		w := 0.0
		switch {
		case v.Helped != nil && *v.Helped:
			w = 1
		case v.Helped != nil:
			w = -1
		case v.Place != nil && *v.Place > 0:
			// Who clicks what stands below has passed over what stands above: the less a place is looked at, the more a click there says.
			w = clickWeight * min(3, math.Log2(1+float64(*v.Place)))
		}
		days := now.Sub(v.At).Hours() / 24
		weight[o] += w * math.Exp2(-max(0, days)/halfLife)
		voices[o]++
	}
	out := signals{}
	for o, w := range weight {
		if voices[o] < leastVoices || w == 0 {
			continue
		}
		if out[o.key] == nil {
			out[o.key] = map[uuid.UUID]float64{}
		}
		out[o.key][o.article] = mostBoost * w / (math.Abs(w) + halfBoost)
	}
	return &out
}

// learned applies the signals to judged articles; at gives the article of a judgement.
func (s *Service) learned(question string, js []judgement, at func(judgement) uuid.UUID) []judgement {
	all := s.signals.Load()
	if all == nil || len(*all) == 0 {
		return js
	}
	boosts := (*all)[questionKey(question)]
	if len(boosts) == 0 {
		return js
	}
	for i := range js {
		if b := boosts[at(js[i])]; b != 0 {
			js[i].rank *= 1 + b
			js[i].score = max(0, min(1, js[i].score+b))
		}
	}
	slices.SortStableFunc(js, func(a, b judgement) int { return cmp.Compare(b.rank, a.rank) })
	return js
}
