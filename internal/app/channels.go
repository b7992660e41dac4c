package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"hotline/channels"
	"hotline/channels/email"
	"hotline/channels/sms"
	"hotline/chat"
	"hotline/internal/db"
	"hotline/internal/errs"
)

// openMail makes the mailbox's adapter where one is configured.
func (a *App) openMail() ([]channels.Adapter, error) {
	if a.cfg.EmailFrom == "" {
		return nil, nil
	}
	m, err := email.New(email.Options{SMTP: a.cfg.SMTP, IMAP: a.cfg.IMAP, From: a.cfg.EmailFrom, OAuth: email.OAuth{TokenURL: a.cfg.EmailTokenURL, ClientID: a.cfg.EmailClientID,
		ClientSecret: a.cfg.EmailClientSecret, RefreshToken: a.cfg.EmailRefreshToken, Scope: a.cfg.EmailScope}, BaseURL: a.baseURL, Log: a.log, Words: a.words.T, Ingest: a.ingest, Report: a.report,
		Store: func(ctx context.Context, thread, name string, r io.Reader) ([16]byte, error) {
			return a.storeFile(ctx, chat.Owner{Channel: email.Name, Account: a.mail.Account(), Thread: thread}, name, r)
		}})
	if err != nil {
		return nil, err
	}
	a.mail = m
	return []channels.Adapter{m}, nil
}

// openWritten makes the adapters for what is written to an address or a number.
func (a *App) openWritten() ([]channels.Adapter, error) {
	all, err := a.openMail()
	if err != nil || a.cfg.SMS == "" {
		return all, err
	}
	a.sms, err = sms.New(sms.Options{URL: a.cfg.SMS, From: a.cfg.SMSFrom, MaxParts: a.cfg.SMSParts, BaseURL: a.baseURL, Log: a.log, Words: a.words.T, Ingest: a.ingest, Report: a.report,
		Hold:    func(ctx context.Context, p channels.Part) (string, []string, error) { return a.Chat.HoldPart(ctx, p) },
		Release: func(ctx context.Context, message string) error { return a.Chat.ReleaseParts(ctx, sms.Name, message) }})
	if err != nil {
		return nil, err
	}
	return append(all, a.sms), nil
}

// halves takes in what came of messages whose other parts never did, so that no word is lost.
func (a *App) halves(ctx context.Context) error {
	if a.sms == nil {
		return nil
	}
	old, err := a.Chat.OldParts(ctx, sms.Name, 100)
	for _, f := range old {
		if !f.Complete {
			if _, err := a.ingest(ctx, sms.Inbound(f.Account, f.Thread, f.Message, f.Text)); err != nil && errs.KindOf(err) != errs.Invalid && errs.KindOf(err) != errs.Conflict && errs.KindOf(err) != errs.TooLarge {
				return err
			}
		}
		if err := a.Chat.ReleaseParts(ctx, sms.Name, f.Message); err != nil {
			return err
		}
	}
	return err
}

// ingest takes a message in. The chat service is made after its channels; nothing comes in before both run.
func (a *App) ingest(ctx context.Context, in channels.Inbound) (channels.Receipt, error) {
	return a.Chat.Ingest(ctx, in)
}

func (a *App) report(ctx context.Context, r channels.Report) (bool, error) {
	return a.Chat.Report(ctx, r)
}

// storeFile keeps a file that came in on a channel.
func (a *App) storeFile(ctx context.Context, owner chat.Owner, name string, r io.Reader) ([16]byte, error) {
	u, err := a.Chat.Upload(ctx, db.System(), owner, name, r)
	return u.ID, err
}

// receive starts what comes in by itself. A mailbox is emptied by one node at a time. So is the session for short messages, which go out on it too: many
// operators have room for one.
func (a *App) receive() {
	if a.sms != nil {
		a.loops.run(func(ctx context.Context) { a.elected(ctx, "sms "+a.sms.Account(), a.sms.Run) })
	}
	if a.mail != nil && a.mail.Receives() {
		a.loops.run(func(ctx context.Context) { a.elected(ctx, "email "+a.mail.Account(), a.mail.Receive) })
	}
}

// register makes the registry, and remembers whose trouble can be told.
func (a *App) register(adapters []channels.Adapter, err error) (*channels.Registry, error) {
	if err != nil {
		return nil, err
	}
	for _, one := range adapters {
		if r, ok := one.(channels.Reachable); ok {
			a.reachable = append(a.reachable, r)
		}
	}
	return channels.NewRegistry(adapters...)
}

// channelTroubles says in words which channels cannot be reached. The node is ready all the same: what is to be sent waits in the database.
func (a *App) channelTroubles() (lines []string) {
	for _, r := range a.reachable {
		if words, since := r.Trouble(); words != "" {
			lines = append(lines, fmt.Sprintf("channel %s in trouble since %s: %s", r.Name(), since.UTC().Format(time.RFC3339), words))
		}
	}
	return lines
}
