package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// readPassword asks for a password: at a terminal twice and without showing it, otherwise it takes the first line of in.
func readPassword(in *os.File, ask io.Writer) (string, error) {
	if !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	hidden := func(words string) (string, error) {
		fmt.Fprint(ask, words)
		typed, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(ask)
		return string(typed), err
	}
	first, err := hidden("Password (12 characters or more; it is not shown): ")
	if err != nil {
		return "", err
	}
	again, err := hidden("The same again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", errors.New("the two passwords differ; nothing was changed")
	}
	return first, nil
}
