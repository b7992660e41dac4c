package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"hotline/channels"
	"hotline/channels/email"
	"hotline/chat"
	"hotline/internal/db"
)

// openMail makes the mailbox's adapter where one is configured.
func (a *App) openMail() ([]channels.Adapter, error) {
	if a.cfg.EmailFrom == "" {
		return nil, nil
	}
	m, err := email.New(email.Options{SMTP: a.cfg.SMTP, IMAP: a.cfg.IMAP, From: a.cfg.EmailFrom, BaseURL: a.baseURL, Log: a.log, Words: a.words.T, Ingest: a.ingest, Report: a.report,
		Store: func(ctx context.Context, thread, name string, r io.Reader) ([16]byte, error) {
			return a.storeFile(ctx, chat.Owner{Channel: email.Name, Account: a.mail.Account(), Thread: thread}, name, r)
		}})
	if err != nil {
		return nil, err
	}
	a.mail = m
	return []channels.Adapter{m}, nil
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

// receive starts what comes in by itself. A mailbox is emptied by one node at a time.
func (a *App) receive() {
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
