package measures

import "time"

// Talk is a conversation as far as it is measured.
type Talk struct {
	Messages []Said // in order
	Closed   bool
}

// Said is one message.
type Said struct {
	Author     string // citizen, bot, staff, system
	Event      string
	Cited      bool
	Unanswered bool
	At         time.Time
}

// Idle is how long a chat must be silent to count as over.
const Idle = 30 * time.Minute

// Promptly is the pick-up time that is measured (GB/T 33358†).
const Promptly = 15 * time.Second

// JudgeTalk counts a chat; the zero Counts for what was never one (a form, a mailbox).
func JudgeTalk(t Talk, now time.Time) (n Counts, recheck time.Time) {
	var queued, picked, last time.Time
	var chat, spoke, person bool
	for _, m := range t.Messages {
		last = m.At
		switch {
		case m.Author == "citizen":
			spoke = true
		case m.Author == "bot":
			chat = true
		case m.Event == "taken_over":
			chat, person = true, true
			if !queued.IsZero() && picked.IsZero() {
				picked = m.At
			}
		case m.Author == "staff":
			person = true
		}
		if m.Event == "handoff" {
			chat, person = true, true
			if queued.IsZero() {
				queued = m.At
			}
		}
		if m.Cited {
			n[Asked] = 1
		}
		if m.Unanswered {
			n[Unanswered] = 1
		}
	}
	if !chat || !spoke {
		return Counts{}, time.Time{}
	}
	n[Chats] = 1
	if n[Unanswered] == 1 {
		n[Asked] = 0
	}
	over := t.Closed || now.Sub(last) >= Idle
	switch {
	case person:
		n[ChatPerson] = 1
	case over:
		n[ChatBot] = 1
	default:
		n[ChatOpen] = 1
	}
	if !queued.IsZero() {
		n[Queued] = 1
		switch {
		case !picked.IsZero() && picked.Sub(queued) <= Promptly:
			n[Picked15] = 1
		case !picked.IsZero():
			n[Picked] = 1
		case over:
			n[GaveUp] = 1
		default:
			n[QueueOpen] = 1
		}
	}
	if !over {
		recheck = last.Add(Idle)
	}
	return n, recheck
}
