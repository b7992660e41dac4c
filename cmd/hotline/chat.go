package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"hotline/chat/hub"
	"hotline/chat/hub/client"
)

// chatTerminal is a citizen at a terminal, on the same protocol as the widget.
func chatTerminal(ctx context.Context, args []string, out io.Writer) error {
	fs := flags("chat")
	url := fs.String("url", "http://localhost:8080", "address of the installation")
	site := fs.String("site", "portal", "site key")
	lang := fs.String("lang", "en", "en or zh-CN")
	token := fs.String("token", "", "token of an earlier conversation")
	if err := parse(fs, args); err != nil {
		return err
	}
	c, err := client.Dial(ctx, client.Options{URL: "ws" + strings.TrimPrefix(*url, "http") + "/chat/v1/socket", Site: *site, Lang: *lang, Token: *token})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			if line := strings.TrimSpace(in.Text()); line != "" {
				if _, err := c.Send(ctx, client.Out{Text: line}); err != nil {
					fmt.Fprintln(out, "! not sent:", err)
				}
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m, ok := <-c.Messages():
			if !ok {
				return errors.New("the connection has ended")
			}
			show(out, m)
		}
	}
}

func show(out io.Writer, m hub.MessageFrame) {
	if m.Author == "citizen" {
		return
	}
	fmt.Fprintf(out, "%s: %s\n", m.Author, m.Text)
	for _, c := range m.Payload.Citations {
		fmt.Fprintf(out, "   [%s, version %d] %s\n", c.Title, c.Version, c.URL)
	}
	for _, c := range m.Payload.Choices {
		fmt.Fprintf(out, "   ( %s )\n", c.Label)
	}
}
