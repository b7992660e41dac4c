package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"hotline/channels"
	"hotline/internal/errs"
)

// A person writes fewer mails than this; a program that answers our answers writes more.
const (
	burst       = 30
	burstWithin = time.Hour
)

// place is where a mail belongs that has been dealt with.
type place string

const (
	done      place = "done"      // taken in
	byMachine place = "automatic" // written by no person, not answered
	aside     place = "aside"     // cannot be taken in; a person should look
)

// take deals with one mail. An error means that it must be tried again; everything else has its place. Why is for the log, without personal data.
func (a *Adapter) take(ctx context.Context, raw []byte) (p place, why string, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, why, err = aside, fmt.Sprintf("reading it failed: %v", r), nil
		}
	}()
	l, parseErr := parse(raw)
	kind := a.kindOf(l)
	switch {
	case kind == bounced:
		return a.takeBounce(ctx, l, raw)
	case kind == spam:
		return aside, "the mail server marks it as unwanted", nil
	case kind != byPerson:
		return byMachine, "no person wrote it", nil
	case parseErr != nil:
		return aside, parseErr.Error(), nil
	case !a.rate.allow(l.from.Address, now()):
		return aside, fmt.Sprintf("more than %d mails of one sender within %s", burst, burstWithin), nil
	}
	in := a.inbound(l)
	if err := a.store(ctx, l, &in); err != nil {
		return "", "", err
	}
	_, err = a.o.Ingest(ctx, in)
	switch kind := errs.KindOf(err); kind {
	case "":
		return done, "", nil
	case errs.Conflict: // with files, the same mail is never the same twice; what was taken in first stands
		return done, "taken in before", nil
	case errs.Invalid, errs.TooLarge, errs.NotFound:
		a.tell(ctx, in, kind)
		return aside, errs.CodeOf(err), nil
	}
	return "", "", err
}

func (a *Adapter) takeBounce(ctx context.Context, l incoming, raw []byte) (place, string, error) {
	r, ok := a.reportOf(l, raw)
	if !ok || a.o.Report == nil {
		return byMachine, "a report that decides nothing", nil
	}
	known, err := a.o.Report(ctx, r)
	if err != nil {
		return "", "", err
	}
	if !known {
		return byMachine, "a report on no mail of ours", nil
	}
	return byMachine, "a mail came back", nil
}

// inbound is what a mail says to the hotline.
func (a *Adapter) inbound(l incoming) channels.Inbound {
	in := channels.Inbound{Channel: Name, Account: a.Account(), ExternalID: l.id, Text: l.text, Typed: true, Title: l.subject, At: l.date,
		Lang: channels.Lang(l.header.Get("Content-Language")), Contact: channels.Contact{Name: l.from.Name, Email: l.from.Address}}
	root := l.id
	if len(l.refs) > 0 {
		root = l.refs[0]
	}
	sum := sha256.Sum256([]byte(root))
	in.Thread = l.from.Address + " " + hex.EncodeToString(sum[:8])
	for i := len(l.refs) - 1; i >= 0 && in.Answers == ""; i-- {
		in.Answers = a.keyOf(l.refs[i])
	}
	// A subject says something when a person began with it; in an answer it repeats the first.
	if s := channels.CleanLine(l.subject, channels.MaxTitle); s != "" && (len(l.refs) == 0 && !strings.Contains(in.Text, s) || in.Text == "" && len(l.files) == 0) {
		in.Text = strings.TrimSpace(s + "\n\n" + in.Text)
	}
	return in
}

// store keeps the files of a mail. A file that cannot be kept is replaced by a sentence; the message itself is never lost for it. A text that is too long
// goes along as a file, its beginning as the message.
func (a *Adapter) store(ctx context.Context, l incoming, in *channels.Inbound) error {
	files, left := l.files, l.left
	if utf8.RuneCountInString(in.Text) > channels.MaxText-1000 {
		files = append([]fileIn{{name: "mail.txt", data: []byte(in.Text)}}, files...)
		if len(files) > channels.MaxUploads {
			files, left = files[:channels.MaxUploads], append(left, files[channels.MaxUploads].name)
		}
		in.Text = string([]rune(in.Text)[:channels.MaxText-1000]) + "\n[… mail.txt]"
	}
	for _, f := range files {
		id, err := a.storeFile(ctx, in.Thread, f)
		switch errs.KindOf(err) {
		case "":
			in.Uploads = append(in.Uploads, id)
			continue
		case errs.Invalid, errs.TooLarge, errs.NotFound, errs.RateLimited:
			left = append(left, f.name)
			continue
		}
		return err // away just now
	}
	for _, name := range left[:min(len(left), 20)] {
		in.Text += "\n[" + channels.CleanLine(name, 100) + " ✗]"
	}
	in.Text = strings.TrimSpace(in.Text)
	return nil
}

var errNoFiles = errs.New(errs.Invalid, "channel.no_files", "files are not taken on this channel")

func (a *Adapter) storeFile(ctx context.Context, thread string, f fileIn) (uuid.UUID, error) {
	if a.o.Store == nil {
		return uuid.Nil, errNoFiles
	}
	id, err := a.o.Store(ctx, thread, f.name, bytes.NewReader(f.data))
	return uuid.UUID(id), err
}

// tell says to the person that the mail was not taken in.
func (a *Adapter) tell(ctx context.Context, in channels.Inbound, kind errs.Kind) {
	lang := in.Lang
	if lang == "" && strings.ContainsFunc(in.Title+in.Text, func(r rune) bool { return r >= 0x4E00 && r <= 0x9FFF }) {
		lang = "zh-CN"
	}
	key := "refused"
	if kind == errs.TooLarge {
		key = "refused_large"
	}
	_, err := a.Send(ctx, channels.Outbound{Account: in.Account, Thread: in.Thread, Author: "system", Text: a.o.Words(lang, "channel."+key), Lang: lang, Title: in.Title, ReplyTo: in.ExternalID})
	if err != nil {
		a.o.Log.InfoContext(ctx, "email refusal not delivered", "error", err)
	}
}

// StoreFunc keeps a file that a person sent and returns its id. It checks type and size itself.
type StoreFunc func(ctx context.Context, thread, name string, r io.Reader) (id [16]byte, err error)

// rate counts the mails of each sender.
type rate struct {
	mu   sync.Mutex
	seen map[string][]time.Time
}

// allow notes one more mail and reports whether it is few enough.
func (r *rate) allow(sender string, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := at.Add(-burstWithin)
	if len(r.seen) > 10_000 { // what nobody asks for any more
		for s, times := range r.seen {
			if times[len(times)-1].Before(since) {
				delete(r.seen, s)
			}
		}
	}
	if r.seen == nil {
		r.seen = map[string][]time.Time{}
	}
	recent := r.seen[sender]
	for len(recent) > 0 && recent[0].Before(since) {
		recent = recent[1:]
	}
	if len(recent) >= burst {
		return false
	}
	r.seen[sender] = append(recent, at)
	return true
}

// errAway is a trouble of the mail server that passes.
var errAway = errors.New("the connection ended")
