package app

import (
	"fmt"
	"time"

	"hotline/channels"
	"hotline/channels/email"
)

// openMail makes the mailbox's adapter where one is configured.
func (a *App) openMail() ([]channels.Adapter, error) {
	if a.cfg.EmailFrom == "" {
		return nil, nil
	}
	m, err := email.New(email.Options{SMTP: a.cfg.SMTP, From: a.cfg.EmailFrom, BaseURL: a.baseURL, Log: a.log, Words: a.words.T})
	if err != nil {
		return nil, err
	}
	a.mail = m
	return []channels.Adapter{m}, nil
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
